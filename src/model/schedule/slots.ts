import { FIRST_YEAR, LAST_YEAR } from './civil-date.ts'

/** The slots of one part of a schedule (an interval, a calendar, a cron), in epoch milliseconds, in ascending order. */
export type Slots = {
  /** The first one at or after `from`, or null. */
  next(from: number): number | null
  /** The last one at or before `to`, or null. */
  previous(to: number): number | null
}

/** The bounds of all slots, inclusive. */
export const FIRST_INSTANT = Date.UTC(FIRST_YEAR, 0, 1)
export const LAST_INSTANT = Date.UTC(LAST_YEAR + 1, 0, 1) - 1
