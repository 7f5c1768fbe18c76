import type { Calendar } from './calendar.ts'
import { SECONDS_A_DAY } from './civil-date.ts'
import { members } from './number-set.ts'

/**
 * The shortest distance between two times of a calendar, in milliseconds, as if it included every day and no clock ever moved. At most a day. Visits at most
 * 86,400 seconds.
 */
export const shortestDistance = ({ hours, minutes, seconds }: Calendar): number => {
  const minutesOfDay = members(hours).flatMap(hour => members(minutes).map(minute => hour * 60 + minute))
  let shortest = SECONDS_A_DAY - lastOf(minutesOfDay, seconds.last) + firstOf(minutesOfDay, seconds.first)
  let previous = Number.NEGATIVE_INFINITY
  for (const minute of minutesOfDay) {
    for (const second of members(seconds)) {
      const time = minute * 60 + second
      shortest = Math.min(shortest, time - previous)
      if (shortest === 1) return 1000
      previous = time
    }
  }
  return shortest * 1000
}

const firstOf = (minutes: readonly number[], second: number): number => minutes[0]! * 60 + second
const lastOf = (minutes: readonly number[], second: number): number => minutes.at(-1)! * 60 + second
