import { isId } from '../../kernel/ids.ts'
import type { AttemptEnd } from '../../model/outcome.ts'
import type { EndAttempt, EndResult } from '../store.ts'
import { arrayLiteral } from './array-literal.ts'
import type { Queryable, Statement } from './database.ts'
import { lockKeys, promoteNext } from './exclusive-keys.ts'
import { gather } from './gather.ts'
import { type EventRow, toEvent } from './job-rows.ts'
import { logColumns, logInput, ON_SAME_LINES } from './log-columns.ts'
import type { Session } from './session.ts'

type EndedRow = EventRow & { readonly position: number }
/** An end that was applied, with what it made of the job. */
type Applied = EventRow & { readonly end: EndAttempt }

/** `endAttempts`: concurrent calls share a statement and its commit. */
export const ender = (session: Session): ((ends: readonly EndAttempt[]) => Promise<readonly EndResult[]>) => {
  const run = gather<EndAttempt, EndResult>({
    atOnce: 2,
    largest: LARGEST_GROUP,
    weigh: () => 1,
    run: ends => endAll(session, ends),
  })
  return async ends => (ends.length === 0 ? [] : run(ends))
}

const LARGEST_GROUP = 1000

const endAll = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly EndResult[]> => {
  const known = withoutRepeats(ends)
  const applied = await end(session.database, session.now(), known, SHARED_JOBS)
  tell(session, applied)
  const done = new Set(applied.map(row => row.end))
  const rest = known.filter(end => !done.has(end))
  const later = rest.length === 0 ? [] : await endLocked(session, rest)
  return toResults(session, ends, [...applied, ...later])
}

/** Those that can be applied: the first of each lease, and no id that cannot be one. */
const withoutRepeats = (ends: readonly EndAttempt[]): readonly EndAttempt[] => {
  const seen = new Set<string>()
  return ends.filter(({ lease: { jobId, attempt, leaseToken } }) => {
    const lease = `${jobId} ${attempt} ${leaseToken}`
    return isId(jobId) && !seen.has(lease) && seen.add(lease)
  })
}

const FIND_HELD: Statement = {
  name: 'find_held',
  text: `
    SELECT live.workspace, live.exclusive_key
    FROM unnest($1::uuid[], $2::integer[], $3::text[]) AS i (id, attempt, lease_token)
    JOIN millrace.live ON live.id = i.id AND live.attempt = i.attempt AND live.lease_token = i.lease_token
      AND live.status IN ('running', 'cancelling')`,
}

/**
 * What one statement cannot do: free an exclusive key (its lock comes before), or put a job back that was cancelled
 * while the statement waited for its row. Most of what arrives here has simply lost its lease.
 */
const endLocked = async (session: Session, ends: readonly EndAttempt[]): Promise<readonly Applied[]> => {
  type Held = { workspace: string; exclusive_key: string | null }
  const leases = ends.map(({ lease }) => lease)
  const find = [
    arrayLiteral(leases.map(lease => lease.jobId)),
    arrayLiteral(leases.map(lease => lease.attempt)),
    arrayLiteral(leases.map(lease => lease.leaseToken)),
  ]
  const held = await session.database.query<Held>(FIND_HELD, find)
  if (held.length === 0) return []
  const keys = held.flatMap(row =>
    row.exclusive_key === null ? [] : [{ workspace: row.workspace, exclusiveKey: row.exclusive_key }],
  )
  const { ended, promoted } = await session.database.transaction(async connection => {
    await lockKeys(connection, keys)
    await connection.query(LOCK_ROWS, [find[0]])
    const ended = await end(connection, session.now(), ends, ALL_JOBS)
    return { ended, promoted: await promoteNext(connection, keys, session.now()) }
  })
  tell(session, ended)
  session.signals.changed({ queued: promoted.length > 0, events: promoted.map(toEvent) })
  return ended
}

const LOCK_ROWS: Statement = {
  name: 'lock_rows',
  text: 'SELECT id FROM millrace.live WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
}

const SHARED_JOBS = false
const ALL_JOBS = true

/**
 * `gone` leave for good, `back` go back to wait; each is a compare-and-set on status, attempt and lease token. What a
 * row of `live` held before its update is read beside it: all parts of a statement see the state before it.
 */
const END: Statement = {
  name: 'end_attempts',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    input AS MATERIALIZED (
      SELECT * FROM unnest(
        $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
        $10::text[], $11::bigint[], $12::text[], $13::bigint[]
      ) WITH ORDINALITY AS i (
        id, attempt, lease_token, type, reason, failure, message, exit_code, signal, delay_ms, statistics, next_log_seq,
        position
      )
    ),
    gone AS (
      DELETE FROM millrace.live
      USING input
      WHERE live.id = input.id AND live.attempt = input.attempt AND live.lease_token = input.lease_token
        AND ($14::boolean OR live.exclusive_key IS NULL)
        AND (live.status = 'cancelling' OR live.status = 'running' AND input.type IN ('complete', 'fail'))
      RETURNING live.*, input.position, input.statistics, input.type, input.exit_code AS last_exit_code,
        input.signal AS last_signal, input.next_log_seq AS last_next_log_seq,
        CASE WHEN live.status = 'cancelling' THEN 'cancelled' WHEN input.type = 'complete' THEN 'completed'
          ELSE 'failed' END AS end_status,
        CASE WHEN live.status = 'cancelling' THEN live.status_reason ELSE input.reason END AS end_reason,
        CASE WHEN live.status = 'running' THEN input.message END AS end_message,
        CASE WHEN live.status = 'running' AND input.failure = 'user' THEN 1 ELSE 0 END AS user_failure,
        CASE WHEN live.status = 'running' AND input.failure = 'system' THEN 1 ELSE 0 END AS system_failure
    ),
    ended AS (
      INSERT INTO millrace.ended (
        id, sequence, finished_at, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        has_log, workspace, status, status_reason, worker_id, signal, error_message, progress, statistics
      )
      SELECT
        id, sequence, clock.now, queued_at, started_at, attempt, user_failures + user_failure,
        system_failures + system_failure, last_exit_code, greatest(next_log_seq, last_next_log_seq) > 1, workspace,
        end_status, end_reason, worker_id, last_signal, end_message, progress,
        CASE WHEN end_status = 'completed' THEN statistics END
      FROM gone, clock
    ),
    back AS (
      UPDATE millrace.live
      SET status = CASE input.type WHEN 'retry' THEN 'pending' ELSE 'queued' END,
        status_reason = CASE input.type WHEN 'retry' THEN 'retry_wait' END,
        error_message = input.message, exit_code = input.exit_code, signal = input.signal,
        user_failures = live.user_failures + CASE WHEN input.failure = 'user' THEN 1 ELSE 0 END,
        system_failures = live.system_failures + CASE WHEN input.failure = 'system' THEN 1 ELSE 0 END,
        due_at = clock.now + input.delay_ms, wait_ms = input.delay_ms,
        queued_at = CASE input.type WHEN 'release' THEN clock.now ELSE live.queued_at END,
        next_log_seq = greatest(live.next_log_seq, input.next_log_seq),
        worker_id = NULL, lease_token = NULL, lease_until = NULL, updated_at = clock.now
      FROM input, clock
      WHERE live.id = input.id AND live.attempt = input.attempt AND live.lease_token = input.lease_token
        AND ($14::boolean OR live.exclusive_key IS NULL)
        AND live.status = 'running' AND input.type IN ('retry', 'release')
      RETURNING live.*, input.position, input.reason
    ),
    attempt AS (
      INSERT INTO millrace.attempt (
        job_id, attempt, started_at, finished_at, exit_code, outcome, reason, worker_id, signal, error_message
      )
      SELECT back.id, back.attempt, back.started_at, back.updated_at, back.exit_code,
        CASE back.status WHEN 'pending' THEN 'failed' ELSE 'released' END, back.reason, before.worker_id, back.signal,
        back.error_message
      FROM back
      JOIN millrace.live AS before ON before.id = back.id
    ),
    log AS (
      INSERT INTO millrace.log_part (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key)
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.data, p.blob_key
      FROM ${logInput(15)} AS p
      JOIN (SELECT id FROM gone UNION ALL SELECT id FROM back) AS applied ON applied.id = p.job_id
      ${ON_SAME_LINES}
    )
    SELECT id, position, workspace, kind, run_id, workflow_id, parent_job_id, end_status AS status,
      end_reason AS status_reason, clock.now
    FROM gone, clock
    UNION ALL
    SELECT id, position, workspace, kind, run_id, workflow_id, parent_job_id, status, status_reason, clock.now
    FROM back, clock`,
}

const end = async (
  target: Queryable,
  now: number | null,
  ends: readonly EndAttempt[],
  scope: boolean,
): Promise<readonly Applied[]> => {
  const parts = ends.flatMap(({ lease, log }) => log.map(part => ({ ...part, jobId: lease.jobId })))
  const rows = await target.query<EndedRow>(END, [now, ...endColumns(ends), scope, ...logColumns(parts)])
  return rows.map(row => ({ ...row, end: ends[row.position - 1]! }))
}

const endColumns = (ends: readonly EndAttempt[]): string[] => {
  const column = (value: (end: EndAttempt) => string | number | null) => arrayLiteral(ends.map(value))
  return [
    column(({ lease }) => lease.jobId),
    column(({ lease }) => lease.attempt),
    column(({ lease }) => lease.leaseToken),
    column(({ end }) => end.type),
    column(({ end }) => ('reason' in end ? end.reason : end.type === 'release' ? 'shutdown' : null)),
    column(({ end }) => ('failure' in end ? end.failure : null)),
    column(({ end }) => ('message' in end ? end.message : null)),
    column(({ end }) => end.exit.exitCode),
    column(({ end }) => end.exit.signal),
    column(({ end }) => (end.type === 'retry' ? Math.round(end.delayMs) : null)),
    column(({ end }) => statisticsOf(end)),
    column(({ log }) => (log.length === 0 ? null : Math.max(...log.map(part => part.lastSeq)) + 1)),
  ]
}

const statisticsOf = (end: AttemptEnd): string | null =>
  end.type === 'complete' && end.statistics ? JSON.stringify(end.statistics) : null

const tell = (session: Session, rows: readonly Applied[]): void => {
  let queued = false
  let pending = false
  for (const { status, workspace } of rows) {
    if (status === 'queued') queued = true
    else if (status === 'pending') pending = true
    else continue
    session.queueCounts.add(workspace, 1)
  }
  session.signals.changed({ queued, pending, events: rows.map(toEvent) })
}

const STATUSES: Statement = {
  name: 'job_statuses',
  text: `
    SELECT id, status FROM millrace.live WHERE id = ANY ($1::uuid[])
    UNION ALL
    SELECT id, status FROM millrace.ended WHERE id = ANY ($1::uuid[])`,
}

/** In the order of the ends; a refused one with the status its job has now. */
const toResults = async (
  session: Session,
  ends: readonly EndAttempt[],
  rows: readonly Applied[],
): Promise<readonly EndResult[]> => {
  const applied = new Map(rows.map(row => [row.end, row.status]))
  const results = ends.map(end => {
    const status = applied.get(end)
    // The same object may be there twice: only once was it applied.
    applied.delete(end)
    return status === undefined ? null : { jobId: end.lease.jobId, applied: true, status }
  })
  const refused = ends.filter((end, index) => results[index] === null && isId(end.lease.jobId))
  const statuses = await readStatuses(session, refused)
  return ends.map(
    ({ lease: { jobId } }, index) => results[index] ?? { jobId, applied: false, status: statuses.get(jobId) ?? null },
  )
}

const readStatuses = async (
  session: Session,
  ends: readonly EndAttempt[],
): Promise<ReadonlyMap<string, EventRow['status']>> => {
  if (ends.length === 0) return new Map()
  const ids = arrayLiteral(ends.map(({ lease }) => lease.jobId))
  const rows = await session.database.query<Pick<EventRow, 'id' | 'status'>>(STATUSES, [ids])
  return new Map(rows.map(row => [row.id, row.status]))
}
