import type { Overlap } from '../workflow.ts'
import { jitterShare } from './fire-at.ts'
import { type Interval, nextOfInterval } from './interval-slots.ts'
import { type MissedSlots, missedSlots } from './missed-slots.ts'
import { FIRST_INSTANT, LAST_INSTANT, type Slots } from './slots.ts'

/**
 * When a workflow runs: the union of intervals, calendars and crons, without `exclude`, from `start_at` to `end_at` inclusive. Slots are epoch milliseconds
 * from 1970 to 2199. It has no clock: equal questions get equal answers.
 */
export type Schedule = {
  readonly overlap: Overlap
  /** Of the slots missed within this time before now, the newest runs. */
  readonly catchUpMs: number
  /** The first slot after an instant, exclusive; null: there are no more. */
  nextSlot(after: number): number | null
  /** The last slot before an instant, exclusive. */
  previousSlot(before: number): number | null
  /**
   * When a slot runs: the slot plus its jitter. The jitter is the same for the same workflow and slot, less than the schedule's jitter, and less than the
   * distance to the next slot.
   */
  fireAt(workflowId: string, slot: number): number
  /**
   * The slots after `after`, up to and including `upTo`. For a single interval the number is computed. Otherwise at most `limit` are counted one by one (some
   * hundred thousand take as many microseconds).
   */
  missedSlots(span: { after: number; upTo: number; limit: number }): MissedSlots
}

/** Creates a schedule from its parts. `intervals`: all of its parts, if they are intervals and nothing is excluded. */
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

  /** Computed for a single interval only: common slots of several would have to be counted once. */
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

/** A plain loop, because schedules are queried often and most have one part. */
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
