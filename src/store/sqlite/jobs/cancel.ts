import type { CancelReason } from '../../../model/job-status.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import type { Writer } from '../writer.ts'
import { endJob } from './end-job.ts'
import { findLive, findSeq, type LiveJob, mustFinish } from './live-job.ts'
import { readJob } from './read-job.ts'
import { addWaiting } from './waiting.ts'

type CancelJob = {
  readonly workspace: string
  readonly jobId: string
  readonly reason: CancelReason
  readonly graceMs: number | null
}

/** `job` is a row for `decodeJob`. */
type CancelledRow = {
  readonly type: 'cancelled' | 'cancelling' | 'ended'
  readonly isNew: boolean
  readonly job: readonly unknown[]
} | null

export const cancelJob = (writer: Writer, { workspace, jobId, reason, graceMs }: CancelJob): CancelledRow => {
  const seq = findSeq(writer.db, workspace, jobId)
  if (seq === undefined) return null
  const job = findLive(writer.db, seq)
  const isNew = job !== undefined && canCancel(job)
  const type = job ? cancelLive(writer, job, reason, graceMs) : 'ended'
  settleRuns(writer)
  return { type, isNew, job: readJob(writer.db, seq)! }
}

const canCancel = (job: LiveJob): boolean => job.status !== 'cancelling' && !mustFinish(job)

const cancelLive = (writer: Writer, job: LiveJob, reason: CancelReason, graceMs: number | null) => {
  if (mustFinish(job)) return 'cancelling'
  if (job.status === 'pending' || job.status === 'queued') return cancelWaiting(writer, job, reason)
  if (job.status === 'running') return askToStop(writer, job, reason, graceMs)
  shortenGrace(writer, job, graceMs)
  return 'cancelling'
}

const cancelWaiting = (writer: Writer, job: LiveJob, reason: CancelReason): 'cancelled' => {
  const held = job.status === 'queued'
  endJob(
    writer,
    // A job that waited for its key does not hold it, so there is none to pass on.
    held ? job : { ...job, exclusiveKey: null },
    { status: 'cancelled', reason, message: null, exit: { exitCode: job.exitCode, signal: job.signal } },
  )
  addWaiting(writer.db, job.workspace, -1)
  return 'cancelled'
}

const askToStop = ({ db, now, effects }: Writer, job: LiveJob, reason: CancelReason, graceMs: number | null) => {
  db.run(
    `UPDATE live SET status = 'cancelling', status_reason = ?, grace_ms = ?, updated_at = ? WHERE seq = ? AND status = 'running'`,
    reason,
    graceMs,
    now,
    job.seq,
  )
  effects.hint('cancel')
  effects.event(job, 'cancelling', reason, now)
  return 'cancelling' as const
}

/** The current grace is the one requested, else the job's own, else the system's; only a shorter one is accepted. */
const shortenGrace = ({ db, effects }: Writer, job: LiveJob, graceMs: number | null): void => {
  if (graceMs === null) return
  const shortened = db.run(
    `UPDATE live SET grace_ms = ?1 WHERE seq = ?2 AND ?1 < coalesce(grace_ms, (SELECT grace_ms FROM job WHERE seq = ?2), ?3)`,
    graceMs,
    job.seq,
    DEFAULT_GRACE_MS,
  )
  if (shortened > 0) effects.hint('cancel')
}

/** `api.md`: "else the job's `grace_seconds`, else 10". */
const DEFAULT_GRACE_MS = 10_000

type CancelFound = { readonly seqs: readonly number[]; readonly reason: CancelReason }

/** Cancels those of the found jobs that are still waiting or running. */
export const cancelFound = (writer: Writer, { seqs, reason }: CancelFound) => {
  const counts = { cancelled: 0, cancelling: 0 }
  for (const seq of seqs) {
    const job = findLive(writer.db, seq)
    if (!job || !canCancel(job)) continue
    counts[cancelLive(writer, job, reason, null)]++
  }
  settleRuns(writer)
  return counts
}
