import type { JobStatus } from '../../../model/job-status.ts'
import type { AttemptEnd, Exit, Statistics } from '../../../model/outcome.ts'
import type { EndAttempt, EndResult } from '../../store.ts'
import { dropExtensions, joinExtensions } from '../runs/extensions.ts'
import { readRun } from '../runs/run.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import type { Writer } from '../writer.ts'
import { completeTogether } from './complete-together.ts'
import { endJob } from './end-job.ts'
import { decodeEnds, type EndAnswer, type EndRow, encodeResult } from './end-row.ts'
import { passKeyOn } from './exclusive-key.ts'
import { findHeld, type LiveJob } from './live-job.ts'
import { insertLogParts } from './log-parts.ts'
import { discardResult } from './results.ts'
import { addWaiting } from './waiting.ts'

/** Takes rows of `encodeEnds`; returns answers for `decodeResults`. */
export const endAttempts = (writer: Writer, rows: readonly EndRow[]): readonly EndAnswer[] => {
  const ends = decodeEnds(rows)
  const completed = completeTogether(writer, ends)
  const answers = ends.map(end => (completed.has(end) ? 'completed' : encodeResult(endAttempt(writer, end))))
  settleRuns(writer)
  return answers
}

const endAttempt = (writer: Writer, { lease, end, log }: EndAttempt): EndResult => {
  const job = findHeld(writer.db, lease)
  if (!job || (end.type === 'cancel' && job.status === 'running' && !job.published))
    return { jobId: lease.jobId, applied: false, status: findStatus(writer, lease.jobId) }
  const nextLogSeq = Math.max(job.nextLogSeq, insertLogParts(writer.db, job.seq, log))
  return { jobId: job.id, applied: true, status: move(writer, { ...job, nextLogSeq }, end) }
}

const findStatus = ({ db }: Writer, jobId: string): JobStatus | null =>
  db.get<[JobStatus]>(
    `SELECT coalesce(live.status, ended.status) FROM job LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq) WHERE job.id = ?`,
    jobId,
  )?.[0] ?? null

const move = (writer: Writer, job: LiveJob, end: AttemptEnd): JobStatus => {
  if (job.published) return endPublished(writer, job, end)
  // A stop was requested, so the job is cancelled whatever the attempt did.
  if (job.status === 'cancelling') return endCancelled(writer, job, end)
  if (end.type === 'complete') return complete(writer, job, end)
  if (end.type === 'fail' || (end.type === 'retry' && end.failure === 'user' && isPaused(writer, job)))
    return endJob(writer, countFailure(job, end.failure), {
      status: 'failed',
      reason: end.reason,
      message: end.message,
      exit: end.exit,
      statistics: end.statistics ?? null,
    })
  if (end.type === 'retry') return retry(writer, countFailure(job, end.failure), end)
  return release(writer, job, end.exit)
}

/** The job completes or, whatever else the attempt did, is left to its next attempt. */
const endPublished = (writer: Writer, job: LiveJob, end: AttemptEnd): JobStatus => {
  if (end.type === 'complete') return complete(writer, job, end)
  insertAttempt(writer, job, pastOf(job, end))
  return putBack(writer, job, end.exit, 'queued')
}

const pastOf = (job: LiveJob, end: Exclude<AttemptEnd, { type: 'complete' }>): PastAttempt =>
  end.type === 'fail' || end.type === 'retry'
    ? pastFailure(end)
    : { outcome: 'released', reason: job.statusReason ?? 'shutdown', message: null, exit: end.exit, statistics: null }

const pastFailure = (end: Extract<AttemptEnd, { type: 'fail' | 'retry' }>): PastAttempt => {
  const { reason, message, exit, statistics = null } = end
  return { outcome: 'failed', reason, message, exit, statistics }
}

const endCancelled = (writer: Writer, job: LiveJob, end: AttemptEnd): JobStatus => {
  if (end.type === 'complete') discardResult(writer, end.result)
  return endJob(writer, job, { status: 'cancelled', reason: job.statusReason, message: null, exit: end.exit })
}

const complete = (writer: Writer, job: LiveJob, end: Extract<AttemptEnd, { type: 'complete' }>): JobStatus => {
  if (job.run !== null) joinExtensions(writer, job.seq)
  return endJob(writer, job, { ...end, status: 'completed', reason: null, message: null })
}

/** A user failure while the run is paused is not retried. */
const isPaused = ({ db }: Writer, job: LiveJob): boolean => job.run !== null && readRun(db, job.run)!.paused

const countFailure = (job: LiveJob, failure: 'user' | 'system'): LiveJob =>
  failure === 'user'
    ? { ...job, userFailures: job.userFailures + 1 }
    : { ...job, systemFailures: job.systemFailures + 1 }

const RETRY_SQL = `UPDATE live SET status = 'pending', status_reason = 'retry_wait', due_at = ?, wait_ms = ?, updated_at = ?,
    user_failures = ?, system_failures = ?, next_log_seq = ?, exit_code = ?, signal = ?, error_message = ?,
    lease_token = NULL, lease_until = NULL, worker_id = NULL
  WHERE seq = ?`

const retry = (writer: Writer, job: LiveJob, end: Extract<AttemptEnd, { type: 'retry' }>): JobStatus => {
  const { db, now, effects } = writer
  const { exitCode, signal } = end.exit
  const wait = Math.round(end.delayMs)
  insertAttempt(writer, job, pastFailure(end))
  db.run(
    RETRY_SQL,
    now + wait,
    wait,
    now,
    job.userFailures,
    job.systemFailures,
    job.nextLogSeq,
    exitCode,
    signal,
    end.message,
    job.seq,
  )
  addWaiting(db, job.workspace, 1)
  effects.hint('pending')
  effects.event(job, 'pending', 'retry_wait', now)
  leaveSlot(writer, job)
  return 'pending'
}

/** Frees the job's slot and key, and drops what it added to its run. */
const leaveSlot = (writer: Writer, job: LiveJob): void => {
  if (job.run !== null) {
    dropExtensions(writer, job.seq)
    writer.runs.note(job.run)
  }
  passKeyOn(writer, job.workspace, job.exclusiveKey)
}

const PUT_BACK_SQL = `UPDATE live SET status = ?, status_reason = ?, queued_at = ?, updated_at = ?, next_log_seq = ?,
    exit_code = ?, signal = ?, grace_ms = NULL, lease_token = NULL, lease_until = NULL, worker_id = NULL
  WHERE seq = ?`

const release = (writer: Writer, job: LiveJob, exit: Exit): JobStatus => {
  insertAttempt(writer, job, { outcome: 'released', reason: 'shutdown', message: null, exit, statistics: null })
  return putBack(writer, job, exit, isPaused(writer, job) ? 'pending' : 'queued')
}

/** A job that is queued again keeps its key and slot, if any, so that no other job gets ahead of it. */
const putBack = (writer: Writer, job: LiveJob, exit: Exit, status: 'pending' | 'queued'): JobStatus => {
  const { db, now, effects } = writer
  const [reason, queuedAt] = status === 'pending' ? (['run_paused', job.queuedAt] as const) : ([null, now] as const)
  db.run(PUT_BACK_SQL, status, reason, queuedAt, now, job.nextLogSeq, exit.exitCode, exit.signal, job.seq)
  addWaiting(db, job.workspace, 1)
  effects.hint(status)
  effects.event(job, status, reason, now)
  if (status === 'pending') leaveSlot(writer, job)
  else if (job.run !== null) dropExtensions(writer, job.seq)
  return status
}

type PastAttempt = {
  readonly outcome: 'failed' | 'released'
  readonly reason: string
  readonly message: string | null
  readonly exit: Exit
  readonly statistics: Statistics | null
}

const insertAttempt = ({ db, now }: Writer, job: LiveJob, past: PastAttempt): void => {
  db.run(
    `INSERT INTO attempt (seq, attempt, worker_id, started_at, finished_at, outcome, reason, error_message, exit_code, signal,
       statistics)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    job.seq,
    job.attempt,
    job.workerId,
    job.startedAt,
    now,
    past.outcome,
    past.reason,
    past.message,
    past.exit.exitCode,
    past.exit.signal,
    past.statistics && JSON.stringify(past.statistics),
  )
}
