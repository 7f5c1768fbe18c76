import type { AttemptEnd } from '../../model/outcome.ts'
import type { EndAttempt } from '../store.ts'
import { batchTable, batchValues, type Column } from './columns.ts'
import type { Queryable, Statement } from './database.ts'
import type { EventRow } from './job-rows.ts'
import { toClaimToken } from './lease-token.ts'
import { logColumns, logInput, ON_SAME_LINES } from './log-columns.ts'

/** An end that was applied, with what it made of the job. */
export type Applied = EventRow & { readonly end: EndAttempt }

const reasonOf = (end: AttemptEnd): string | null =>
  'reason' in end ? end.reason : end.type === 'release' ? 'shutdown' : null

const COLUMNS: readonly Column<EndAttempt>[] = [
  { name: 'id', type: 'uuid', of: ({ lease }) => lease.jobId },
  { name: 'attempt', type: 'integer', of: ({ lease }) => lease.attempt },
  { name: 'claim_token', type: 'uuid', of: ({ lease }) => toClaimToken(lease) },
  { name: 'type', type: 'text', of: ({ end }) => end.type },
  { name: 'reason', type: 'text', of: ({ end }) => reasonOf(end) },
  { name: 'failure', type: 'text', of: ({ end }) => ('failure' in end ? end.failure : null) },
  { name: 'message', type: 'text', of: ({ end }) => ('message' in end ? end.message : null) },
  { name: 'exit_code', type: 'integer', of: ({ end }) => end.exit.exitCode },
  { name: 'signal', type: 'text', of: ({ end }) => end.exit.signal },
  { name: 'delay_ms', type: 'bigint', of: ({ end }) => (end.type === 'retry' ? Math.round(end.delayMs) : null) },
  {
    name: 'statistics',
    type: 'text',
    of: ({ end }) => (end.type === 'complete' && end.statistics ? JSON.stringify(end.statistics) : null),
  },
  {
    name: 'next_log_seq',
    type: 'bigint',
    of: ({ log }) => (log.length === 0 ? null : Math.max(...log.map(part => part.lastSeq)) + 1),
  },
]
const FIRST_COLUMN = 2
const FIRST_LOG_COLUMN = FIRST_COLUMN + 2 * COLUMNS.length

const values = (now: number | null, ends: readonly EndAttempt[]): unknown[] => [
  now,
  ...batchValues(COLUMNS, ends),
  ...logColumns(ends.flatMap(({ lease, log }) => log.map(part => ({ ...part, jobId: lease.jobId })))),
]

/** The log of those in `applied (id)`. `IS TRUE` has the set hashed, whatever the planner thinks of its size. */
const insertLog = (applied: string): string => `
      INSERT INTO millrace.log_part (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key)
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.data, p.blob_key
      FROM ${logInput(FIRST_LOG_COLUMN)} AS p
      WHERE (p.job_id IN (SELECT id FROM ${applied})) IS TRUE
      ${ON_SAME_LINES}`

/**
 * Completes and fails running jobs without an exclusive key. `held` looks each lease up (`OFFSET 0` keeps the planner
 * from turning the loop around: it believes `live` to be empty); deleting by place with the status asked again is the
 * compare-and-set: a row that was changed since `held` read it stays.
 */
const END_RUNNING: Statement = {
  name: 'end_running',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS MATERIALIZED (
      SELECT l.*, i.type, i.reason, i.failure, i.message, i.exit_code, i.signal, i.statistics,
        greatest(l.next_log_seq, i.next_log_seq) AS log_seq
      FROM ${batchTable(COLUMNS, FIRST_COLUMN)} AS i
      CROSS JOIN LATERAL (
        SELECT id, sequence, queued_at, started_at, attempt, user_failures, system_failures, next_log_seq, workspace,
          worker_id, progress, ctid AS place
        FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
          AND live.status <> 'cancelling' AND live.exclusive_key IS NULL
        OFFSET 0
      ) AS l
    ),
    gone AS (
      DELETE FROM millrace.live
      WHERE ctid = ANY (ARRAY(SELECT place FROM held)) AND status <> 'cancelling'
      RETURNING id, workspace, kind, run_id, workflow_id, parent_job_id
    ),
    ended AS (
      INSERT INTO millrace.ended (
        id, sequence, finished_at, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        has_log, workspace, status, status_reason, worker_id, signal, error_message, progress, statistics
      )
      SELECT
        id, sequence, clock.now, queued_at, started_at, attempt,
        user_failures + (failure IS NOT DISTINCT FROM 'user')::integer,
        system_failures + (failure IS NOT DISTINCT FROM 'system')::integer,
        exit_code, log_seq > 1, workspace, CASE type WHEN 'complete' THEN 'completed' ELSE 'failed' END, reason,
        worker_id, signal, message, progress, statistics
      FROM held, clock
      WHERE (id IN (SELECT id FROM gone)) IS TRUE
    ),
    log AS (${insertLog('gone')})
    SELECT gone.*, clock.now FROM gone, clock`,
}

type GoneRow = Omit<EventRow, 'status' | 'status_reason'>

/** At most one end for a job may be given. */
export const endRunning = async (
  target: Queryable,
  now: number | null,
  ends: readonly EndAttempt[],
): Promise<readonly Applied[]> => {
  const byJob = new Map(ends.map(end => [end.lease.jobId, end]))
  const rows = await target.query<GoneRow>(END_RUNNING, values(now, ends))
  return rows.map(row => toApplied(row, byJob.get(row.id)!))
}

const toApplied = (row: GoneRow, end: EndAttempt): Applied => ({
  id: row.id,
  workspace: row.workspace,
  kind: row.kind,
  run_id: row.run_id,
  workflow_id: row.workflow_id,
  parent_job_id: row.parent_job_id,
  status: end.end.type === 'fail' ? 'failed' : 'completed',
  status_reason: end.end.type === 'fail' ? end.end.reason : null,
  now: row.now,
  end,
})

/** Any end of any held job, its row locked first; in one statement or inside a transaction that holds its key. */
const END_ANY: Statement = {
  name: 'end_any',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS MATERIALIZED (
      SELECT l.*, i.position, i.statistics, i.exit_code AS last_exit_code, i.signal AS last_signal, i.delay_ms,
        greatest(l.next_log_seq, i.next_log_seq) AS log_seq,
        CASE
          WHEN l.status = 'cancelling' THEN 'cancelled'
          WHEN i.type = 'complete' THEN 'completed'
          WHEN i.type = 'fail' THEN 'failed'
          WHEN i.type = 'retry' THEN 'pending'
          WHEN i.type = 'release' THEN 'queued'
        END AS new_status,
        CASE WHEN l.status = 'cancelling' THEN l.status_reason ELSE i.reason END AS reason,
        CASE WHEN l.status = 'running' THEN i.message END AS message,
        l.user_failures + (l.status = 'running' AND i.failure IS NOT DISTINCT FROM 'user')::integer AS user_count,
        l.system_failures + (l.status = 'running' AND i.failure IS NOT DISTINCT FROM 'system')::integer AS system_count
      FROM ${batchTable(COLUMNS, FIRST_COLUMN)} AS i
      CROSS JOIN LATERAL (
        SELECT * FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
          AND (live.status = 'cancelling' OR i.type <> 'cancel')
        OFFSET 0
        FOR UPDATE
      ) AS l
    ),
    gone AS (
      DELETE FROM millrace.live
      WHERE id = ANY (ARRAY(SELECT id FROM held WHERE new_status NOT IN ('pending', 'queued')))
    ),
    ended AS (
      INSERT INTO millrace.ended (
        id, sequence, finished_at, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        has_log, workspace, status, status_reason, worker_id, signal, error_message, progress, statistics
      )
      SELECT
        id, sequence, clock.now, queued_at, started_at, attempt, user_count, system_count, last_exit_code, log_seq > 1,
        workspace, new_status, reason, worker_id, last_signal, message, progress,
        CASE WHEN new_status = 'completed' THEN statistics END
      FROM held, clock
      WHERE new_status NOT IN ('pending', 'queued')
    ),
    back AS (
      UPDATE millrace.live
      SET status = held.new_status, status_reason = CASE held.new_status WHEN 'pending' THEN 'retry_wait' END,
        error_message = held.message, exit_code = held.last_exit_code, signal = held.last_signal,
        user_failures = held.user_count, system_failures = held.system_count, next_log_seq = held.log_seq,
        due_at = clock.now + held.delay_ms, wait_ms = held.delay_ms,
        queued_at = CASE held.new_status WHEN 'queued' THEN clock.now ELSE held.queued_at END,
        worker_id = NULL, claim_token = NULL, lease_until = NULL, updated_at = clock.now
      FROM held, clock
      WHERE live.id = ANY (ARRAY(SELECT id FROM held WHERE new_status IN ('pending', 'queued'))) AND held.id = live.id
    ),
    attempt AS (
      INSERT INTO millrace.attempt (
        job_id, attempt, started_at, finished_at, exit_code, outcome, reason, worker_id, signal, error_message
      )
      SELECT id, attempt, started_at, clock.now, last_exit_code,
        CASE new_status WHEN 'pending' THEN 'failed' ELSE 'released' END, reason, worker_id, last_signal, message
      FROM held, clock
      WHERE new_status IN ('pending', 'queued')
    ),
    log AS (${insertLog('held')})
    SELECT id, position, workspace, kind, run_id, workflow_id, parent_job_id, new_status AS status,
      CASE new_status WHEN 'pending' THEN 'retry_wait' WHEN 'queued' THEN NULL ELSE reason END AS status_reason, clock.now
    FROM held, clock`,
}

export const endAny = async (
  target: Queryable,
  now: number | null,
  ends: readonly EndAttempt[],
): Promise<readonly Applied[]> => {
  const rows = await target.query<EventRow & { readonly position: number }>(END_ANY, values(now, ends))
  return rows.map(row => ({ ...row, end: ends[row.position - 1]! }))
}
