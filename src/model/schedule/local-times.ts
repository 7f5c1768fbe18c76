import type { Calendar } from './calendar.ts'
import { SECONDS_A_DAY, toDate } from './civil-date.ts'
import { createDayTimes, type DayTimes } from './day-times.ts'
import type { Exclusion } from './exclusion.ts'
import { type MonthDays, nextDay, previousDay } from './month-days.ts'
import { NONE } from './number-set.ts'

/** The local seconds that a calendar includes and no exclusion removes, whether or not they exist in any zone. */
export type LocalTimes = {
  /** The first one at or after `from`, or null. */
  next(from: number): number | null
  /** The last one at or before `to`, or null. */
  previous(to: number): number | null
}

/**
 * Both searches end: each visits at most the 230 × 12 months from 1970 to 2199, in one direction, and reads the cached `DayTimes` of each of 2^10 signatures. A
 * calendar that never matches costs about a millisecond.
 */
export const createLocalTimes = (calendar: Calendar, exclusion: Exclusion | null): LocalTimes => {
  const times = createDayTimes(calendar, exclusion?.partial ?? [])
  const days = exclusion === null ? calendar.days : daysLeft(calendar, exclusion, times)
  const signature = (day: number): number => (exclusion === null ? 0 : signatureOn(exclusion, day))
  return {
    next(from) {
      const start = Math.floor(from / SECONDS_A_DAY)
      let day = nextDay(days, start)
      while (day !== null) {
        const time = times.next(signature(day), day === start ? from - start * SECONDS_A_DAY : 0)
        if (time !== NONE) return day * SECONDS_A_DAY + time
        day = nextDay(days, day + 1)
      }
      return null
    },
    previous(to) {
      const end = Math.floor(to / SECONDS_A_DAY)
      let day = previousDay(days, end)
      while (day !== null) {
        const time = times.previous(signature(day), day === end ? to - end * SECONDS_A_DAY : SECONDS_A_DAY - 1)
        if (time !== NONE) return day * SECONDS_A_DAY + time
        day = previousDay(days, day - 1)
      }
      return null
    },
  }
}

/** The days of a calendar that are not fully excluded. */
const daysLeft =
  (calendar: Calendar, { wholeDays, partial, signatures }: Exclusion, times: DayTimes): MonthDays =>
  (year, month) => {
    const days = calendar.days(year, month) & ~wholeDays(year, month)
    if (days === 0 || partial.length === 0) return days
    return signatures(year, month).reduce(
      (left, signature, day) => (times.next(signature, 0) === NONE ? left & ~(1 << day) : left),
      days,
    )
  }

const signatureOn = ({ partial, signatures }: Exclusion, day: number): number => {
  if (partial.length === 0) return 0
  const date = toDate(day)
  return signatures(date.year, date.month)[date.day - 1]!
}
