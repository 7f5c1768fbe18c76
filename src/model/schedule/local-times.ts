import type { Calendar } from './calendar.ts'
import { SECONDS_A_DAY } from './civil-date.ts'
import { createDayTimes } from './day-times.ts'
import { type Exclusion, signatureOn } from './exclusion.ts'
import { type MonthDays, nextDay, previousDay } from './month-days.ts'
import { NONE } from './number-set.ts'

/** The local seconds that a calendar means and no exclusion takes away, whether or not they exist in any zone. */
export type LocalTimes = {
  /** The first one from `from` on, or null. */
  next(from: number): number | null
  /** The last one up to `to`, or null. */
  previous(to: number): number | null
}

/**
 * Both searches end: each goes over the 84,006 days from 1970 to 2199 at most, one way, and asks `DayTimes` once a day,
 * which has searched each of its 2^10 signatures once at most. A calendar that never matches costs about a millisecond.
 */
export const createLocalTimes = (calendar: Calendar, exclusion: Exclusion | null): LocalTimes => {
  const days: MonthDays =
    exclusion === null ? calendar.days : (year, month) => calendar.days(year, month) & ~exclusion.wholeDays(year, month)
  const times = createDayTimes(calendar, exclusion?.partial ?? [])
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
