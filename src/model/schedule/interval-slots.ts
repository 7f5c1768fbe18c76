import type { Calendar } from './calendar.ts'
import { createCalendarSlots } from './calendar-slots.ts'
import { type Exclusion, isExcluded } from './exclusion.ts'
import { daysOfMonth } from './month-days.ts'
import { numberSet } from './number-set.ts'
import { nextAnswer, previousAnswer, remember } from './remember.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'
import { localOf, type TimeZone } from './time-zone.ts'

/** Instants `t` at which `t - anchor - offset` is a multiple of `every`; all in milliseconds. */
export type Interval = { readonly every: number; readonly offset: number; readonly anchor: number }

/**
 * After this many excluded slots in a row, an interval counts as ended. This bounds the search if all slots are excluded ("every 2 s" without even seconds).
 * Fully excluded days and hours are skipped and count once, so a daily interval is followed for 13 years.
 */
const MAX_EXCLUDED = 5000

/** The first slot at or after `from`, regardless of bounds and exclusions. */
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
  if (exclusion === null) return createUnfiltered(interval)
  const isLeft = (slot: number): boolean => !isExcluded(exclusion, localOf(zone, Math.floor(slot / 1000)))
  const left = createCalendarSlots({ calendar: EVERY_SECOND, zone, exclusion })
  return {
    next: remember(from => {
      const walk = walkOver({
        start: nextOfInterval(interval, Math.max(from, FIRST_INSTANT)),
        isWithin: slot => slot <= LAST_INSTANT,
        isLeft,
        step(slot) {
          const second = left.next(slot + 1)
          return second === null ? null : nextOfInterval(interval, Math.max(second, slot + 1))
        },
      })
      return walk.type === 'ended' ? { slot: null, low: from, high: walk.since } : nextAnswer(from, walk.slot)
    }),
    previous: remember(to => {
      const walk = walkOver({
        start: previousOfInterval(interval, Math.min(to, LAST_INSTANT)),
        isWithin: slot => slot >= FIRST_INSTANT,
        isLeft,
        step(slot) {
          const second = left.previous(slot - 1)
          // A second that is not excluded includes its last millisecond.
          return second === null ? null : previousOfInterval(interval, Math.min(second + 999, slot - 1))
        },
      })
      return walk.type === 'ended' ? { slot: null, low: walk.since, high: to } : previousAnswer(to, walk.slot)
    }),
  }
}

const createUnfiltered = (interval: Interval): Slots => ({
  next(from) {
    const slot = nextOfInterval(interval, Math.max(from, FIRST_INSTANT))
    return slot <= LAST_INSTANT ? slot : null
  },
  previous(to) {
    const slot = previousOfInterval(interval, Math.min(to, LAST_INSTANT))
    return slot >= FIRST_INSTANT ? slot : null
  },
})

/** `ended`: too many in a row were excluded. That holds for every question from the first of them to `since`. */
type Walk =
  | { readonly type: 'found'; readonly slot: number | null }
  | { readonly type: 'ended'; readonly since: number }

/**
 * Walks along an interval to the next slot that is not excluded. It walks twice as far as needed: then a walk from anywhere in the first half is known to find
 * nothing, so half of all questions need no walk. Answers do not depend on earlier questions.
 */
const walkOver = (input: {
  start: number
  isWithin: (slot: number) => boolean
  isLeft: (slot: number) => boolean
  step: (slot: number) => number | null
}): Walk => {
  const excluded: number[] = []
  let slot: number | null = input.start
  while (slot !== null && input.isWithin(slot)) {
    if (input.isLeft(slot) && excluded.length < MAX_EXCLUDED) return { type: 'found', slot }
    if (input.isLeft(slot) || excluded.length === 2 * MAX_EXCLUDED)
      return { type: 'ended', since: excluded[excluded.length - MAX_EXCLUDED]! }
    excluded.push(slot)
    slot = input.step(slot)
  }
  return { type: 'found', slot: null }
}

const EVERY_SECOND: Calendar = {
  days: daysOfMonth,
  hours: numberSet(24, () => true),
  minutes: numberSet(60, () => true),
  seconds: numberSet(60, () => true),
  everyHour: true,
}
