import type { MonthDays } from './month-days.ts'
import { contains, type NumberSet } from './number-set.ts'

/** A rule on the local time of a zone, from a calendar or a cron: certain days, and on each of them hours × minutes × seconds. */
export type Calendar = {
  readonly days: MonthDays
  readonly hours: NumberSet
  readonly minutes: NumberSet
  readonly seconds: NumberSet
  /** The hour is `"*"`: hours are elapsed hours. */
  readonly everyHour: boolean
}

/** Whether the calendar includes a second of the day, leaving the day aside. */
export const hasTime = (calendar: Calendar, secondOfDay: number): boolean =>
  contains(calendar.hours, Math.floor(secondOfDay / 3600)) &&
  contains(calendar.minutes, Math.floor(secondOfDay / 60) % 60) &&
  contains(calendar.seconds, secondOfDay % 60)
