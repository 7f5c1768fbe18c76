import type { MonthDays } from './month-days.ts'
import { contains, type NumberSet } from './number-set.ts'

/** A rule on the clock of a zone, of a calendar or a cron: some days, and on each of them hours × minutes × seconds. */
export type Calendar = {
  readonly days: MonthDays
  readonly hours: NumberSet
  readonly minutes: NumberSet
  readonly seconds: NumberSet
  /** The hour was given as `"*"`: hours are elapsed hours. */
  readonly everyHour: boolean
}

/** Whether a second of the day is one of the calendar's; the day is another question. */
export const hasTime = (calendar: Calendar, secondOfDay: number): boolean =>
  contains(calendar.hours, Math.floor(secondOfDay / 3600)) &&
  contains(calendar.minutes, Math.floor(secondOfDay / 60) % 60) &&
  contains(calendar.seconds, secondOfDay % 60)
