import type { Attempt } from '../../../model/job.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import { JOB_SQL, SUBMISSION_SQL } from './job-row.ts'
import { findSeq } from './live-job.ts'

type Which = { readonly workspace: string; readonly jobId: string }
type Row = readonly unknown[]

const JOB_ROW_SQL = `SELECT ${JOB_SQL} FROM job LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq)
  LEFT JOIN result USING (seq)`

/** A row for `decodeJob`. */
export const readJob = (db: Database, seq: number): Row | undefined =>
  db.get<Row>(`${JOB_ROW_SQL} WHERE job.seq = ?`, seq)

export const getJob = ({ db }: Reader, { workspace, jobId }: Which): Row | null =>
  db.get<Row>(`${JOB_ROW_SQL} WHERE job.id = ? AND job.workspace = ?`, jobId, workspace) ?? null

/** A row for `decodeSubmission`. */
export const getSubmission = ({ db }: Reader, { workspace, jobId }: Which): Row | null =>
  db.get<Row>(`SELECT ${SUBMISSION_SQL} FROM job WHERE id = ? AND workspace = ?`, jobId, workspace) ?? null

/** What a running attempt's token grants: its workspace, and its scopes as JSON text. */
export const findRunningAttempt = ({ db }: Reader, { jobId, attempt }: { jobId: string; attempt: number }) =>
  db.get<[workspace: string, scopes: string]>(
    `SELECT job.workspace, scope_set.scopes FROM job JOIN live USING (seq) JOIN scope_set ON scope_set.id = job.scope_set
     WHERE job.id = ? AND live.attempt = ? AND live.status IN ('running', 'cancelling')`,
    jobId,
    attempt,
  ) ?? null

export const listAttempts = ({ db }: Reader, { workspace, jobId }: Which): Attempt[] | null => {
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return null
  return db.all<Row>(ATTEMPTS_SQL, seq).map(
    ([attempt, workerId, startedAt, finishedAt, outcome, reason, errorMessage, exitCode, signal, statistics]) =>
      ({
        attempt,
        workerId,
        startedAt,
        finishedAt,
        outcome,
        reason,
        errorMessage,
        exitCode,
        signal,
        statistics: statistics === null ? null : JSON.parse(statistics as string),
      }) as Attempt,
  )
}

/**
 * Past attempts have rows of their own; the running attempt, or the one that ended the job, is in the job's row. The last attempt of a job cancelled
 * between two attempts is in both: its own row counts.
 */
const ATTEMPTS_SQL = `
  SELECT attempt, worker_id, started_at, finished_at, outcome, reason, error_message, exit_code, signal, statistics
    FROM attempt WHERE seq = ?1
  UNION ALL
  SELECT attempt, worker_id, started_at, NULL, 'running', NULL, NULL, NULL, NULL, NULL
    FROM live WHERE seq = ?1 AND status IN ('running', 'cancelling')
  UNION ALL
  SELECT attempt, worker_id, started_at, finished_at, status, status_reason, error_message, exit_code, signal, statistics
    FROM ended WHERE seq = ?1 AND attempt > coalesce((SELECT max(attempt) FROM attempt WHERE seq = ?1), 0)
  ORDER BY attempt`
