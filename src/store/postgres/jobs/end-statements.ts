import type { AttemptEnd, NewResult } from '../../../model/outcome.ts'
import type { EndAttempt } from '../../store.ts'
import type { Queryable, Statement } from '../database.ts'
import { batchTable, batchValues, type Column } from './columns.ts'
import type { EventRow } from './job-rows.ts'
import { toClaimToken } from './lease-token.ts'
import { LOG_COLUMNS, logColumns, logInput, ON_SAME_LINES } from './log-columns.ts'
import { insertResults, resultColumns } from './result-columns.ts'

/** An end that was applied, with the job's resulting state. */
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
    of: ({ end }) => ('statistics' in end && end.statistics ? JSON.stringify(end.statistics) : null),
  },
  {
    name: 'next_log_seq',
    type: 'bigint',
    of: ({ log }) => (log.length === 0 ? null : Math.max(...log.map(part => part.lastSeq)) + 1),
  },
]
const FIRST_COLUMN = 2
const FIRST_LOG_COLUMN = FIRST_COLUMN + 2 * COLUMNS.length

const FIRST_RESULT_COLUMN = FIRST_LOG_COLUMN + LOG_COLUMNS

const values = (now: number | null, ends: readonly EndAttempt[]): unknown[] => [
  now,
  ...batchValues(COLUMNS, ends),
  ...logColumns(ends.flatMap(({ lease, log }) => log.map(part => ({ ...part, jobId: lease.jobId })))),
]

const valuesWithResults = (now: number | null, ends: readonly EndAttempt[]): unknown[] => [
  ...values(now, ends),
  ...resultColumns(ends.flatMap(({ lease, end }) => resultOf(end).map(result => ({ jobId: lease.jobId, result })))),
]

const resultOf = (end: AttemptEnd): readonly NewResult[] =>
  end.type === 'complete' && end.result !== null ? [end.result] : []

/** Stores the log of those in `applied (id)`. `IS TRUE` makes the planner hash the set, whatever size it estimates. */
const insertLog = (applied: string): string => `
      INSERT INTO millrace.log_part (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key)
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.data, p.blob_key
      FROM ${logInput(FIRST_LOG_COLUMN)} AS p
      WHERE (p.job_id IN (SELECT id FROM ${applied})) IS TRUE
      ${ON_SAME_LINES}`

/** For rows with `new_status`: creates the deliveries for their sinks and counts the ends in their runs. */
const countAndTell = (rows: string): string => `
    delivery AS (
      INSERT INTO millrace.delivery (
        id, job_id, sink_index, created_at, due_at, wait_ms, next_try_at, workspace, kind, status, run_id, workflow_id
      )
      SELECT millrace.new_id(clock.now), item.id, (rule ->> 'index')::integer, clock.now, clock.now, 0, clock.now,
        item.workspace, item.kind, 'pending', item.run_id, item.workflow_id
      FROM clock, ${rows} AS item, json_array_elements(item.sinks::json) AS rule
      WHERE item.new_status = 'completed' OR item.new_status = 'failed' AND (rule ->> 'onFailure')::boolean
    ),
    counted AS (
      UPDATE millrace.run
      SET completed = run.completed + item.completed, failed = run.failed + item.failed,
        cancelled = run.cancelled + item.cancelled
      FROM (
        SELECT item_of, count(*) FILTER (WHERE new_status = 'completed') AS completed,
          count(*) FILTER (WHERE new_status = 'failed') AS failed,
          count(*) FILTER (WHERE new_status = 'cancelled') AS cancelled
        FROM ${rows}
        WHERE item_of IS NOT NULL AND new_status NOT IN ('pending', 'queued')
        GROUP BY item_of
      ) AS item
      WHERE run.id = item.item_of
    )`

/**
 * Completes and fails running jobs. `held` looks up and locks each lease (`OFFSET 0` keeps the planner from reversing the loop: it assumes `live` is
 * empty). Locking is the compare-and-set: a row that has changed is checked again. One that still matches has another ctid by then, which this
 * statement does not see, so it stays. `locked` adds conditions on the rows that are locked, `ended` on those of them that are ended; `more` adds further
 * parts to the statement.
 */
const endRunningText = ({ locked, ended, more, columns }: Record<'locked' | 'ended' | 'more' | 'columns', string>) => `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS MATERIALIZED (
      SELECT l.*, i.type, i.reason, i.failure, i.message, i.exit_code, i.signal, i.statistics,
        greatest(l.next_log_seq, i.next_log_seq) AS log_seq
      FROM ${batchTable(COLUMNS, FIRST_COLUMN)} AS i
      CROSS JOIN LATERAL (
        SELECT id, sequence, queued_at, started_at, attempt, user_failures, system_failures, next_log_seq, workspace,
          worker_id, progress, ctid AS place${columns}
        FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token${locked}
        OFFSET 0
        FOR UPDATE
      ) AS l${ended}
    ),
    gone AS (
      DELETE FROM millrace.live
      WHERE ctid = ANY (ARRAY(SELECT place FROM held))
      RETURNING id, workspace, kind, run_id, workflow_id, parent_job_id${columns && RETURNED_LINKS}
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
    log AS (${insertLog('gone')})${more}
    SELECT gone.*, clock.now FROM gone, clock`

const LINKS = ', kind, run_id, workflow_id, item_of, sinks'
const RETURNED_LINKS = ', item_of, sinks IS NOT NULL AS has_sinks, extended_attempt'

const RESULTS_OF_GONE = `,
    result AS (${insertResults(FIRST_RESULT_COLUMN, 'SELECT id FROM gone')})`

/** Standalone jobs: not an item of a run, no exclusive key, no sinks. */
const ALONE = {
  locked: `
          AND live.status <> 'cancelling' AND live.exclusive_key IS NULL AND live.item_of IS NULL AND live.sinks IS NULL`,
  ended: '',
  columns: '',
} as const
const END_RUNNING: Statement = { name: 'end_running', text: endRunningText({ ...ALONE, more: '' }) }
const END_RUNNING_WITH_RESULTS: Statement = {
  name: 'end_running_with_results',
  text: endRunningText({ ...ALONE, more: RESULTS_OF_GONE }),
}

/** Also items of runs, whose locks are held, and jobs with sinks. Locks those, too, that it leaves to `endAny`, which would lock them out of order. */
const END_ITEMS: Statement = {
  name: 'end_items',
  text: endRunningText({
    locked: '',
    ended: `
      WHERE l.status <> 'cancelling' AND l.exclusive_key IS NULL`,
    columns: `${LINKS}, status, exclusive_key`,
    more: `${RESULTS_OF_GONE},
    told AS MATERIALIZED (
      SELECT *, CASE type WHEN 'complete' THEN 'completed' ELSE 'failed' END AS new_status
      FROM held
      WHERE (id IN (SELECT id FROM gone)) IS TRUE
    ),${countAndTell('told')}`,
  }),
}

type GoneRow = Omit<EventRow, 'status' | 'status_reason'>

/** Takes at most one end per job. */
export const endRunning = async (
  target: Queryable,
  now: number | null,
  unordered: readonly EndAttempt[],
): Promise<readonly Applied[]> => {
  const ends = inLockOrder(unordered)
  const byJob = new Map(ends.map(end => [end.lease.jobId, end]))
  const rows = ends.some(({ end }) => resultOf(end).length > 0)
    ? await target.query<GoneRow>(END_RUNNING_WITH_RESULTS, valuesWithResults(now, ends))
    : await target.query<GoneRow>(END_RUNNING, values(now, ends))
  return rows.map(row => toApplied(row, byJob.get(row.id)!))
}

/** As in `lockJobs`. */
const inLockOrder = (ends: readonly EndAttempt[]): readonly EndAttempt[] =>
  ends.toSorted((a, b) => (a.lease.jobId < b.lease.jobId ? -1 : 1))

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

/** Like `endRunning`, inside a transaction that has locked the runs. Ends it does not apply are left to `endAny`. */
export const endItems = async (
  target: Queryable,
  now: number | null,
  ends: readonly EndAttempt[],
): Promise<readonly AppliedAny[]> => {
  if (ends.length === 0) return []
  const byJob = new Map(ends.map(end => [end.lease.jobId, end]))
  type Row = GoneRow & Omit<AppliedAny, keyof Applied>
  const rows = await target.query<Row>(END_ITEMS, valuesWithResults(now, inLockOrder(ends)))
  return rows.map(row => ({ ...row, ...toApplied(row, byJob.get(row.id)!) }))
}

/**
 * Any end of any held job. Locks the job's row first, inside a transaction that has locked its run and key. In a paused run a user failure is final;
 * any other retry is held once its wait is over, and a released job is held at once. A published job completes or is queued again, whatever the end
 * says and whatever the state of its run. Counts the ends in their runs.
 */
const END_ANY: Statement = {
  name: 'end_any',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    held AS MATERIALIZED (
      SELECT l.*, i.type, i.position, i.statistics, i.exit_code AS last_exit_code, i.signal AS last_signal,
        i.delay_ms, run.paused IS TRUE AS is_paused,
        greatest(l.next_log_seq, i.next_log_seq) AS log_seq,
        CASE
          WHEN l.published AND i.type <> 'complete' THEN 'queued'
          WHEN l.status = 'cancelling' AND NOT l.published THEN 'cancelled'
          WHEN i.type = 'complete' THEN 'completed'
          WHEN i.type = 'fail' THEN 'failed'
          WHEN i.type = 'retry' AND run.paused AND i.failure = 'user' THEN 'failed'
          WHEN i.type = 'retry' OR i.type = 'release' AND run.paused THEN 'pending'
          WHEN i.type = 'release' THEN 'queued'
        END AS new_status,
        CASE
          WHEN l.published AND i.type IN ('cancel', 'release') THEN coalesce(l.status_reason, 'shutdown')
          WHEN l.status = 'cancelling' AND NOT l.published THEN l.status_reason
          ELSE i.reason
        END AS reason,
        CASE WHEN l.status = 'running' OR l.published THEN i.message END AS message,
        l.user_failures + (counts.it AND i.failure IS NOT DISTINCT FROM 'user')::integer AS user_count,
        l.system_failures + (counts.it AND i.failure IS NOT DISTINCT FROM 'system')::integer AS system_count
      FROM ${batchTable(COLUMNS, FIRST_COLUMN)} AS i
      CROSS JOIN LATERAL (
        SELECT * FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.claim_token = i.claim_token
          AND (live.status = 'cancelling' OR live.published OR i.type <> 'cancel')
        OFFSET 0
        FOR UPDATE
      ) AS l
      CROSS JOIN LATERAL (SELECT l.status = 'running' AND NOT l.published AS it) AS counts
      LEFT JOIN millrace.run ON run.id = l.item_of
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
        CASE WHEN new_status IN ('completed', 'failed') THEN statistics END
      FROM held, clock
      WHERE new_status NOT IN ('pending', 'queued')
    ),
    back AS (
      UPDATE millrace.live
      SET status = held.new_status,
        status_reason = CASE WHEN held.new_status = 'pending' AND held.type = 'retry' THEN 'retry_wait'
          WHEN held.new_status = 'pending' THEN 'run_paused' END,
        error_message = CASE held.new_status WHEN 'pending' THEN held.message END, exit_code = held.last_exit_code, signal = held.last_signal, grace_ms = NULL,
        user_failures = held.user_count, system_failures = held.system_count, next_log_seq = held.log_seq,
        due_at = CASE held.new_status WHEN 'pending' THEN clock.now + held.delay_ms END,
        wait_ms = CASE held.new_status WHEN 'pending' THEN held.delay_ms END,
        queued_at = CASE held.new_status WHEN 'queued' THEN clock.now ELSE held.queued_at END,
        worker_id = NULL, claim_token = NULL, lease_until = NULL, extended_attempt = NULL, updated_at = clock.now
      FROM held, clock
      WHERE live.id = ANY (ARRAY(SELECT id FROM held WHERE new_status IN ('pending', 'queued'))) AND held.id = live.id
    ),
    attempt AS (
      INSERT INTO millrace.attempt (
        job_id, attempt, started_at, finished_at, exit_code, outcome, reason, worker_id, signal, error_message, statistics
      )
      SELECT id, attempt, started_at, clock.now, last_exit_code,
        CASE WHEN type IN ('retry', 'fail') THEN 'failed' ELSE 'released' END, reason, worker_id, last_signal, message,
        statistics
      FROM held, clock
      WHERE new_status IN ('pending', 'queued')
    ),
    ${countAndTell('held').trim()},
    log AS (${insertLog('held')}),
    result AS (${insertResults(FIRST_RESULT_COLUMN, "SELECT id FROM held WHERE new_status = 'completed'")})
    SELECT id, position, workspace, kind, run_id, workflow_id, parent_job_id, new_status AS status,
      CASE WHEN new_status = 'pending' AND type = 'retry' THEN 'retry_wait' WHEN new_status = 'pending' THEN 'run_paused'
        WHEN new_status <> 'queued' THEN reason END AS status_reason,
      clock.now, item_of, sinks IS NOT NULL AS has_sinks, extended_attempt
    FROM held, clock`,
}

/** The result of `endAny` or `endItems`, with what determines the follow-up. */
export type AppliedAny = Applied & {
  readonly item_of: string | null
  readonly has_sinks: boolean
  /** The attempt that added items to the run, this one or an earlier one; null: none. */
  readonly extended_attempt: number | null
}

export const endAny = async (
  target: Queryable,
  now: number | null,
  unordered: readonly EndAttempt[],
): Promise<readonly AppliedAny[]> => {
  const ends = inLockOrder(unordered)
  type Row = Omit<AppliedAny, 'end'> & { readonly position: number }
  const rows = await target.query<Row>(END_ANY, valuesWithResults(now, ends))
  return rows.map(row => ({ ...row, end: ends[row.position - 1]! }))
}
