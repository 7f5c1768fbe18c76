import type { Schedule } from '../../model/schedule/schedule.ts'
import type { SkipReason } from '../../model/workflow.ts'
import type { WorkflowFire } from '../../store/workflow-store.ts'
import { timingAt } from './timing.ts'

/**
 * A slot this late is late, not missed, whatever `catch_up` says: a scheduler that is busy for a moment must not drop
 * slots of a workflow that wants nothing caught up.
 */
const ORDINARY_LATENESS_MS = 10_000
/** Slots that are counted one by one; beyond it a schedule says how many there are as it can. */
const MOST_COUNTED = 100_000

export type FirePlan = Pick<WorkflowFire, 'slot' | 'skipped' | 'timing'>

type Input = {
  readonly workflowId: string
  readonly schedule: Schedule
  /** All slots up to this one have been dealt with. */
  readonly cursor: number
  readonly now: number
  readonly isPaused: boolean
}

/**
 * What is to become of the slots whose time has come: of those that were missed within `catch_up` the newest fires, the
 * others are recorded; of a paused workflow all are recorded. Slots are found from the last one that was dealt with, so
 * it does not matter when this is asked, how often, or what the clock did meanwhile: an instant that lies before the
 * cursor gives nothing to do.
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

/** The newest slot whose instant, its jitter included, has come. Jitter never moves a slot beyond the one after it. */
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
