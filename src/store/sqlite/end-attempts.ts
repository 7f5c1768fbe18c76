import type { EndedStatus, JobStatus } from '../../model/job-status.ts'
import type { AttemptEnd, Exit } from '../../model/outcome.ts'
import type { EndAttempt, EndResult } from '../store.ts'
import { completeTogether } from './complete-together.ts'
import { decodeEnds, type EndAnswer, type EndRow, encodeResult } from './end-row.ts'
import { passKeyOn } from './exclusive-key.ts'
import { findHeld, type LiveJob } from './live-job.ts'
import { insertLogParts } from './log-parts.ts'
import { addWaiting } from './waiting.ts'
import type { Writer } from './writer.ts'

/** Rows as `encodeEnds` makes them; answers as `decodeResults` reads them. */
export const endAttempts = (writer: Writer, rows: readonly EndRow[]): readonly EndAnswer[] => {
  const ends = decodeEnds(rows)
  const completed = completeTogether(writer, ends)
  return ends.map(end => (completed.has(end) ? 'completed' : encodeResult(endAttempt(writer, end))))
}

const endAttempt = (writer: Writer, { lease, end, log }: EndAttempt): EndResult => {
  const job = findHeld(writer.db, lease)
  if (!job || (end.type === 'cancel' && job.status === 'running'))
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
  // A stop was asked for: whatever the attempt did, that is what happened to the job.
  if (job.status === 'cancelling')
    return endJob(writer, job, { status: 'cancelled', reason: job.statusReason, message: null, exit: end.exit })
  if (end.type === 'complete')
    return endJob(writer, job, {
      status: 'completed',
      reason: null,
      message: null,
      exit: end.exit,
      statistics: end.statistics,
    })
  if (end.type === 'fail')
    return endJob(writer, countFailure(job, end.failure), {
      status: 'failed',
      reason: end.reason,
      message: end.message,
      exit: end.exit,
    })
  if (end.type === 'retry') return retry(writer, countFailure(job, end.failure), end)
  return release(writer, job, end.exit)
}

const countFailure = (job: LiveJob, failure: 'user' | 'system'): LiveJob =>
  failure === 'user'
    ? { ...job, userFailures: job.userFailures + 1 }
    : { ...job, systemFailures: job.systemFailures + 1 }

/** How a job ends. Without `exit` it keeps that of its last attempt. */
export type JobEnd = {
  readonly status: EndedStatus
  readonly reason: string | null
  readonly message: string | null
  readonly exit: Exit
  readonly statistics?: Readonly<Record<string, number>> | null
}

const INSERT_ENDED = `INSERT INTO ended (seq, workspace, status, status_reason, log, queued_at, started_at, finished_at, attempt,
    user_failures, system_failures, worker_id, exit_code, signal, error_message, progress, statistics)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Moves a job from `live` to `ended`; one that waited is counted out by the caller. */
export const endJob = (writer: Writer, job: LiveJob, end: JobEnd): EndedStatus => {
  const { db, now, effects } = writer
  db.run('DELETE FROM live WHERE seq = ?', job.seq)
  db.run(
    INSERT_ENDED,
    job.seq,
    job.workspace,
    end.status,
    end.reason,
    job.nextLogSeq > 1 ? 'kept' : 'none',
    job.queuedAt,
    job.startedAt,
    now,
    job.attempt,
    job.userFailures,
    job.systemFailures,
    job.workerId,
    end.exit.exitCode,
    end.exit.signal,
    end.message,
    job.progress,
    end.statistics ? JSON.stringify(end.statistics) : null,
  )
  effects.event(job, end.status, end.reason, now)
  passKeyOn(writer, job.workspace, job.exclusiveKey)
  return end.status
}

const RETRY_SQL = `UPDATE live SET status = 'pending', status_reason = 'retry_wait', due_at = ?, wait_ms = ?, updated_at = ?,
    user_failures = ?, system_failures = ?, next_log_seq = ?, exit_code = ?, signal = ?, error_message = ?,
    lease_token = NULL, lease_until = NULL, worker_id = NULL
  WHERE seq = ?`

const retry = (writer: Writer, job: LiveJob, end: Extract<AttemptEnd, { type: 'retry' }>): JobStatus => {
  const { db, now, effects } = writer
  const { exitCode, signal } = end.exit
  const wait = Math.round(end.delayMs)
  insertAttempt(writer, job, { outcome: 'failed', reason: end.reason, message: end.message, exit: end.exit })
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
  passKeyOn(writer, job.workspace, job.exclusiveKey)
  return 'pending'
}

const RELEASE_SQL = `UPDATE live SET status = 'queued', status_reason = NULL, queued_at = ?, updated_at = ?, next_log_seq = ?,
    exit_code = ?, signal = ?, lease_token = NULL, lease_until = NULL, worker_id = NULL
  WHERE seq = ?`

/** The key, if it has one, stays with the job: it is queued without a pause. */
const release = (writer: Writer, job: LiveJob, exit: Exit): JobStatus => {
  const { db, now, effects } = writer
  insertAttempt(writer, job, { outcome: 'released', reason: 'shutdown', message: null, exit })
  db.run(RELEASE_SQL, now, now, job.nextLogSeq, exit.exitCode, exit.signal, job.seq)
  addWaiting(db, job.workspace, 1)
  effects.hint('queued')
  effects.event(job, 'queued', null, now)
  return 'queued'
}

type PastAttempt = {
  readonly outcome: 'failed' | 'released'
  readonly reason: string
  readonly message: string | null
  readonly exit: Exit
}

const insertAttempt = ({ db, now }: Writer, job: LiveJob, past: PastAttempt): void => {
  db.run(
    `INSERT INTO attempt (seq, attempt, worker_id, started_at, finished_at, outcome, reason, error_message, exit_code, signal)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
  )
}
