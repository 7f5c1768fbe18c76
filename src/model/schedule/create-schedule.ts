import type { Overlap } from '../workflow.ts'
import { jitterShare } from './fire-at.ts'
import { type Interval, nextOfInterval } from './interval-slots.ts'
import { type MissedSlots, missedSlots } from './missed-slots.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'

/**
 * When a workflow runs: the union of intervals, calendars and crons, without `exclude`, within `start_at` and `end_at` (both
 * included). Slots are epoch milliseconds, from 1970 to 2199. It has no clock: the same question gets the same answer.
 */
export type Schedule = {
  readonly overlap: Overlap
  /** Of the slots missed within that time before now, the newest runs. */
  readonly catchUpMs: number
  /** The first slot after (never at) an instant; null: there is none any more. */
  nextSlot(after: number): number | null
  /** The last slot before (never at) an instant. */
  previousSlot(before: number): number | null
  /**
   * When a slot runs: the slot and a jitter that is the same for the same workflow and slot, shorter than the jitter of
   * the schedule and than the distance to the next slot.
   */
  fireAt(workflowId: string, slot: number): number
  /**
   * The slots after `after` and up to `upTo`. Of a single interval any number is counted; of the rest `limit` at most, one by one
   * (some hundred thousand take as many microseconds).
   */
  missedSlots(span: { after: number; upTo: number; limit: number }): MissedSlots
}

/** Makes a schedule of its parts. `intervals`: what it is made of, when that is intervals alone and nothing is excluded. */
export const createSchedule = (input: {
  parts: readonly Slots[]
  intervals: readonly Interval[] | null
  overlap: Overlap
  catchUpMs: number
  jitterMs: number
  startAt: number | null
  endAt: number | null
}): Schedule => {
  const { parts, jitterMs } = input
  const start = Math.max(input.startAt ?? FIRST_INSTANT, FIRST_INSTANT)
  const end = Math.min(input.endAt ?? LAST_INSTANT, LAST_INSTANT)

  const nextSlot = (after: number): number | null => {
    const from = Math.max(Math.floor(after) + 1, start)
    const slot = earliest(parts, from)
    return slot !== null && slot <= end ? slot : null
  }

  const previousSlot = (before: number): number | null => {
    const slot = latest(parts, Math.min(Math.ceil(before) - 1, end))
    return slot !== null && slot >= start ? slot : null
  }

  /** By arithmetic, of one interval; intervals that meet would have to be counted once. */
  const count = (after: number, upTo: number): number | null => {
    const [interval, ...others] = input.intervals ?? []
    if (interval === undefined || others.length > 0) return null
    const first = nextOfInterval(interval, Math.max(Math.floor(after) + 1, start))
    return Math.max(0, Math.floor((Math.min(upTo, end) - first) / interval.every) + 1)
  }

  return {
    overlap: input.overlap,
    catchUpMs: input.catchUpMs,
    nextSlot,
    previousSlot,
    fireAt(workflowId, slot) {
      if (jitterMs === 0) return slot
      const distance = (nextSlot(slot) ?? Number.POSITIVE_INFINITY) - slot
      return slot + Math.floor(jitterShare(workflowId, slot) * Math.min(jitterMs, distance))
    },
    missedSlots: span => missedSlots({ nextSlot, previousSlot, count, ...span }),
  }
}

/** A loop of numbers: schedules are asked often, and most have one part. */
const earliest = (parts: readonly Slots[], from: number): number | null => {
  let found: number | null = null
  for (const part of parts) {
    const slot = part.next(from)
    if (slot !== null && (found === null || slot < found)) found = slot
  }
  return found
}

const latest = (parts: readonly Slots[], to: number): number | null => {
  let found: number | null = null
  for (const part of parts) {
    const slot = part.previous(to)
    if (slot !== null && (found === null || slot > found)) found = slot
  }
  return found
}
