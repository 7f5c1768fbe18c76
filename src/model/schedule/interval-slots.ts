import type { Calendar } from './calendar.ts'
import { createCalendarSlots } from './calendar-slots.ts'
import { type Exclusion, isExcluded } from './exclusion.ts'
import { daysOfMonth } from './month-days.ts'
import { numberSet } from './number-set.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'
import { localOf, type TimeZone } from './time-zone.ts'

/** Instants `t` where `t - anchor - offset` is a multiple of `every`; all in milliseconds. */
export type Interval = { readonly every: number; readonly offset: number; readonly anchor: number }

/**
 * So many slots in a row may be looked at and be excluded; with that an interval counts as ended. It bounds the search for an
 * interval whose slots all meet an exclusion ("every 2 s" without even seconds): days and hours that are excluded as a
 * whole are jumped over and count once, so even a daily one is followed for 136 years.
 */
const MAX_EXCLUDED = 50_000

/** The first slot from `from` on, without bounds and exclusions. */
export const nextOfInterval = ({ every, offset, anchor }: Interval, from: number): number => {
  const origin = anchor + offset
  return origin + Math.ceil((from - origin) / every) * every
}

const previousOfInterval = ({ every, offset, anchor }: Interval, to: number): number => {
  const origin = anchor + offset
  return origin + Math.floor((to - origin) / every) * every
}

export const createIntervalSlots = (input: {
  interval: Interval
  zone: TimeZone
  exclusion: Exclusion | null
}): Slots => {
  const { interval, zone, exclusion } = input
  const isLeft = (slot: number): boolean =>
    exclusion === null || !isExcluded(exclusion, localOf(zone, Math.floor(slot / 1000)))
  const left = createCalendarSlots({ calendar: EVERY_SECOND, zone, exclusion })
  return {
    next(from) {
      let slot = nextOfInterval(interval, Math.max(from, FIRST_INSTANT))
      for (let excluded = 0; slot <= LAST_INSTANT && excluded < MAX_EXCLUDED; excluded++) {
        if (isLeft(slot)) return slot
        const second = left.next(slot + 1)
        if (second === null) return null
        slot = nextOfInterval(interval, Math.max(second, slot + 1))
      }
      return null
    },
    previous(to) {
      let slot = previousOfInterval(interval, Math.min(to, LAST_INSTANT))
      for (let excluded = 0; slot >= FIRST_INSTANT && excluded < MAX_EXCLUDED; excluded++) {
        if (isLeft(slot)) return slot
        const second = left.previous(slot)
        if (second === null) return null
        // A second that is left is so to its last millisecond.
        slot = previousOfInterval(interval, Math.min(second + 999, slot - 1))
      }
      return null
    },
  }
}

const EVERY_SECOND: Calendar = {
  days: daysOfMonth,
  hours: numberSet(24, () => true),
  minutes: numberSet(60, () => true),
  seconds: numberSet(60, () => true),
  everyHour: true,
}
