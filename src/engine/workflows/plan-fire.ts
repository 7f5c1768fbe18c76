import type { Schedule } from '../../model/schedule/schedule.ts'
import type { SkipReason } from '../../model/workflow.ts'
import type { WorkflowFire } from '../../store/workflow-store.ts'
import { timingAt } from './timing.ts'

/**
 * A slot this late counts as late, not missed, whatever `catch_up` says: a briefly busy scheduler must not drop slots of a workflow that catches up nothing.
 */
const ORDINARY_LATENESS_MS = 10_000
/** Missed slots are counted one by one up to this many; beyond it, the schedule reports its best count. */
const MOST_COUNTED = 100_000

export type FirePlan = Pick<WorkflowFire, 'slot' | 'skipped' | 'timing'>

type Input = {
  readonly workflowId: string
  readonly schedule: Schedule
  /** All slots up to and including this one have been handled. */
  readonly cursor: number
  readonly now: number
  readonly isPaused: boolean
}

/**
 * Decides what happens to the due slots. The newest fires if it is within `catch_up`; the others are recorded. If the workflow is paused, all are recorded.
 * Slots are computed from the last one handled, so it does not matter when or how often this is called, or what the clock did meanwhile: a `now` before
 * the cursor yields nothing to do.
 */
export const planFire = ({ workflowId, schedule, cursor, now, isPaused }: Input): FirePlan => {
  const last = lastDue(schedule, workflowId, now)
  if (last === null || last <= cursor)
    return { slot: null, skipped: [], timing: timingAt(schedule, workflowId, cursor) }
  const fires =
    !isPaused && now - schedule.fireAt(workflowId, last) <= Math.max(schedule.catchUpMs, ORDINARY_LATENESS_MS)
  const reason: SkipReason = isPaused ? 'paused' : 'missed'
  return {
    slot: fires ? last : null,
    skipped: skippedSlots(schedule, { after: cursor, upTo: fires ? last - 1 : last, reason }),
    timing: timingAt(schedule, workflowId, last),
  }
}

/** The newest slot whose time, including jitter, has come. Jitter never moves a slot past the next one. */
const lastDue = (schedule: Schedule, workflowId: string, now: number): number | null => {
  const newest = schedule.previousSlot(now + 1)
  if (newest === null || schedule.fireAt(workflowId, newest) <= now) return newest
  return schedule.previousSlot(newest)
}

const skippedSlots = (
  schedule: Schedule,
  { after, upTo, reason }: { after: number; upTo: number; reason: SkipReason },
): FirePlan['skipped'] => {
  const { count, first, last } = schedule.missedSlots({ after, upTo, limit: MOST_COUNTED })
  return first === null || last === null ? [] : [{ first, last, count, reason }]
}
