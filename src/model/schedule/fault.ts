import type { FieldError } from '../../kernel/errors.ts'

/** What is wrong with a field of a schedule; its path begins in the schedule (`calendars.0.hour.end`). */
export type ScheduleFault = FieldError & {
  /** The values are right, but no time matches them. */
  readonly neverFires?: true
}

/** Takes the faults as they are found. */
export type Report = (path: string, message: string) => void
