import type { Database } from '../database.ts'
import { isKeyHeld } from '../jobs/exclusive-key.ts'
import { fieldsOf, insertJob, noteClock } from '../jobs/insert-job.ts'
import type { SubmittedJobRow } from '../jobs/job-row.ts'
import { addWaiting } from '../jobs/waiting.ts'
import type { Writer } from '../writer.ts'

type Items = {
  readonly workspace: string
  readonly run: number
  readonly jobs: readonly SubmittedJobRow[]
}

type WaitingReason = 'run_pending' | 'run_paused' | 'run_concurrency' | 'exclusive_key'

/** Items that wait for their run to start, for it to be resumed, or for a slot (`settleRuns` fills free ones). */
export const insertWaitingItems = (writer: Writer, { workspace, run, jobs }: Items, reason: WaitingReason): void => {
  noteClock(writer)
  for (const job of jobs) insertJob(writer, job, { pending: reason, dueAt: null, run })
  addWaiting(writer.db, workspace, jobs.length)
}

/** Items of a run that starts now: all its slots are free, so the first items are inserted as queued. */
export const insertStartingItems = (writer: Writer, items: Items & { readonly maxConcurrent: number }): void => {
  const { workspace, run, jobs } = items
  noteClock(writer)
  const beginnings = planBeginnings(writer.db, items)
  for (const [index, job] of jobs.entries()) insertJob(writer, job, { pending: beginnings[index]!, dueAt: null, run })
  addWaiting(writer.db, workspace, jobs.length)
}

const planBeginnings = (
  db: Database,
  { workspace, jobs, maxConcurrent }: Items & { readonly maxConcurrent: number },
): (WaitingReason | null)[] => {
  const beginnings = jobs.map((): WaitingReason | null => 'run_concurrency')
  const taken = new Set<string>()
  let free = maxConcurrent
  for (const index of inOrderOfUrgency(jobs)) {
    if (free === 0) break
    const key = fieldsOf(jobs[index]![0]).exclusiveKey
    const held = key !== null && (taken.has(key) || isKeyHeld(db, workspace, key))
    beginnings[index] = held ? 'exclusive_key' : null
    if (held) continue
    if (key !== null) taken.add(key)
    free--
  }
  return beginnings
}

/** Usually all have the same priority, and the order stays as it is. */
const inOrderOfUrgency = (jobs: readonly SubmittedJobRow[]): readonly number[] => {
  const priorities = jobs.map(job => fieldsOf(job[0]).priority)
  const indexes = [...priorities.keys()]
  return priorities.every(priority => priority === priorities[0])
    ? indexes
    : indexes.sort((a, b) => priorities[b]! - priorities[a]! || a - b)
}
