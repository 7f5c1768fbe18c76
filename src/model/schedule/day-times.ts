import type { Calendar } from './calendar.ts'
import { SECONDS_A_DAY } from './civil-date.ts'
import { createSecondsLeft } from './exclusion.ts'
import { NONE } from './number-set.ts'

/** The times of one day of a calendar, under a signature of partial exclusions; `NONE` if there are no more. */
export type DayTimes = {
  /** The first second of the day at or after `from`. */
  next(signature: number, from: number): number
  /** The last second of the day at or before `to`. */
  previous(signature: number, to: number): number
}

/** A step visits at most 24 × 60 minutes. The first and last second of a day are cached by signature, so that fully excluded days cost nothing. */
export const createDayTimes = (calendar: Calendar, partial: readonly Calendar[]): DayTimes => {
  const secondsLeft = createSecondsLeft(calendar.seconds, partial)
  const { hours, minutes } = calendar
  const firsts: number[] = []
  const lasts: number[] = []

  const search = (signature: number, from: number): number => {
    const hour0 = Math.floor(from / 3600)
    for (let hour = hours.next[hour0]!; hour !== NONE; hour = hours.next[hour + 1]!) {
      const minute0 = hour === hour0 ? Math.floor(from / 60) % 60 : 0
      for (let minute = minutes.next[minute0]!; minute !== NONE; minute = minutes.next[minute + 1]!) {
        const second0 = hour === hour0 && minute === Math.floor(from / 60) % 60 ? from % 60 : 0
        const second = secondsLeft(signature, hour, minute).next[second0]!
        if (second !== NONE) return hour * 3600 + minute * 60 + second
      }
    }
    return NONE
  }

  const searchBack = (signature: number, to: number): number => {
    const hour0 = Math.floor(to / 3600)
    for (let hour = hours.previous[hour0]!; hour !== NONE; hour = hour === 0 ? NONE : hours.previous[hour - 1]!) {
      const minute0 = hour === hour0 ? Math.floor(to / 60) % 60 : 59
      for (
        let minute = minutes.previous[minute0]!;
        minute !== NONE;
        minute = minute === 0 ? NONE : minutes.previous[minute - 1]!
      ) {
        const second0 = hour === hour0 && minute === Math.floor(to / 60) % 60 ? to % 60 : 59
        const second = secondsLeft(signature, hour, minute).previous[second0]!
        if (second !== NONE) return hour * 3600 + minute * 60 + second
      }
    }
    return NONE
  }

  return {
    next(signature, from) {
      if (from > 0) return search(signature, from)
      firsts[signature] ??= search(signature, 0)
      return firsts[signature]
    },
    previous(signature, to) {
      if (to < SECONDS_A_DAY - 1) return searchBack(signature, to)
      lasts[signature] ??= searchBack(signature, to)
      return lasts[signature]
    },
  }
}
