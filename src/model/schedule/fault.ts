import type { FieldError } from '../../kernel/errors.ts'

/** A fault in a field of a schedule; its path starts at the schedule (`calendars.0.hour.end`). */
export type ScheduleFault = FieldError & {
  /** The values are valid, but no time matches them. */
  readonly neverFires?: true
}

/** Called with each fault when it is found. */
export type Report = (path: string, message: string) => void
