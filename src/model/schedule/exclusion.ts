import { type Calendar, hasTime } from './calendar.ts'
import { SECONDS_A_DAY, toDate } from './civil-date.ts'
import type { MonthDays } from './month-days.ts'
import { contains, members, type NumberSet, numberSet } from './number-set.ts'

/** What `exclude` removes. */
export type Exclusion = {
  /** Days that are excluded completely. */
  readonly wholeDays: MonthDays
  /** Calendars that exclude a part of their days. A *signature* is a set of them; bit 0 is the first. */
  readonly partial: readonly Calendar[]
  /** Which partial ones apply: the signature of each day of a month, starting with the 1st at index 0. */
  signatures(year: number, month: number): readonly number[]
}

/** The most calendars in `exclude` that remove a part of a day: 2^10 signatures are few enough to cache. */
export const MAX_PARTIAL = 10

export const isWholeDay = ({ hours, minutes, seconds }: Calendar): boolean =>
  members(hours).length === 24 && members(minutes).length === 60 && members(seconds).length === 60

export const createExclusion = (calendars: readonly Calendar[]): Exclusion => {
  const whole = calendars.filter(isWholeDay)
  const partial = calendars.filter(calendar => !isWholeDay(calendar))
  return {
    wholeDays: ofMonths((year, month) => whole.reduce((days, calendar) => days | calendar.days(year, month), 0)),
    partial,
    signatures: ofMonths((year, month) => {
      const days = partial.map(calendar => calendar.days(year, month))
      return Array.from({ length: 31 }, (_, day) =>
        days.reduce((signature, bits, index) => signature | (((bits >> day) & 1) << index), 0),
      )
    }),
  }
}

/** Cached, because every calendar of the schedule asks for the same months: a hundred that never match ask for all 2,760. */
const ofMonths = <T>(find: (year: number, month: number) => T): ((year: number, month: number) => T) => {
  const known = new Map<number, T>()
  return (year, month) => {
    const key = year * 12 + month
    let found = known.get(key)
    if (found === undefined) {
      found = find(year, month)
      known.set(key, found)
    }
    return found
  }
}

/** Whether a local second is excluded. */
export const isExcluded = (exclusion: Exclusion, local: number): boolean => {
  const day = Math.floor(local / SECONDS_A_DAY)
  const date = toDate(day)
  if ((exclusion.wholeDays(date.year, date.month) >> (date.day - 1)) & 1) return true
  const signature = exclusion.signatures(date.year, date.month)[date.day - 1]!
  return exclusion.partial.some(
    (calendar, index) => (signature >> index) & 1 && hasTime(calendar, local - day * SECONDS_A_DAY),
  )
}

/** The seconds of a minute that remain of `seconds`, by signature, hour and minute. */
export type SecondsLeft = (signature: number, hour: number, minute: number) => NumberSet

/** Caches the set for each combination of partial exclusions that apply to a minute. */
export const createSecondsLeft = (seconds: NumberSet, partial: readonly Calendar[]): SecondsLeft => {
  const holding = (size: number, setOf: (calendar: Calendar) => NumberSet): readonly number[] =>
    Array.from({ length: size }, (_, value) =>
      partial.reduce((bits, calendar, index) => bits | (contains(setOf(calendar), value) ? 1 << index : 0), 0),
    )
  const inHour = holding(24, calendar => calendar.hours)
  const inMinute = holding(60, calendar => calendar.minutes)
  const sets: NumberSet[] = [seconds]
  const without = (bits: number): NumberSet =>
    numberSet(
      60,
      second =>
        contains(seconds, second) &&
        !partial.some((calendar, index) => (bits >> index) & 1 && contains(calendar.seconds, second)),
    )
  return (signature, hour, minute) => {
    const bits = signature & inHour[hour]! & inMinute[minute]!
    sets[bits] ??= without(bits)
    return sets[bits]
  }
}
