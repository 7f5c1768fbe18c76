import { daysInMonth, FIRST_YEAR, LAST_YEAR, toDate, toDay, weekdayOf } from './civil-date.ts'

/** The days of a month (from 1) that match: bit 0 is the 1st, bit 30 the 31st. */
export type MonthDays = (year: number, month: number) => number

export const ALL_DAYS = 0x7fff_ffff

/** All days of a month. */
export const daysOfMonth = (year: number, month: number): number => ALL_DAYS >>> (31 - daysInMonth(year, month))

/** For each weekday of the 1st, the days of a month that fall on `weekdays` (bit 0 is Sunday). */
export const weekdayPatterns = (weekdays: number): readonly number[] =>
  Array.from({ length: 7 }, (_, first) => {
    let days = 0
    for (let day = 0; day < 31; day++) if ((weekdays >> ((first + day) % 7)) & 1) days |= 1 << day
    return days
  })

/** The weekday of the 1st of a month; 0 is Sunday. */
export const firstWeekday = (year: number, month: number): number => weekdayOf(toDay(year, month, 1))

const FIRST_DAY = toDay(FIRST_YEAR, 1, 1)
const LAST_DAY = toDay(LAST_YEAR, 12, 31)

/** The first matching day at or after `from`, or null. Visits at most 230 × 12 months. */
export const nextDay = (days: MonthDays, from: number): number | null => {
  if (from > LAST_DAY) return null
  const start = Math.max(from, FIRST_DAY)
  let { year, month, day } = toDate(start)
  let found = (days(year, month) >>> (day - 1)) << (day - 1)
  while (found === 0) {
    if (++month > 12) {
      month = 1
      if (++year > LAST_YEAR) return null
    }
    found = days(year, month)
    day = 0
  }
  const first = 31 - Math.clz32(found & -found)
  return day === 0 ? toDay(year, month, first + 1) : start + first - (day - 1)
}

/** The last matching day at or before `to`, or null. Visits at most 230 × 12 months. */
export const previousDay = (days: MonthDays, to: number): number | null => {
  if (to < FIRST_DAY) return null
  const date = toDate(Math.min(to, LAST_DAY))
  let { year, month } = date
  let found = days(year, month) & (ALL_DAYS >>> (31 - date.day))
  while (found === 0) {
    if (--month < 1) {
      month = 12
      if (--year < FIRST_YEAR) return null
    }
    found = days(year, month)
  }
  return toDay(year, month, 32 - Math.clz32(found))
}
