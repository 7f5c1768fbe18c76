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
 * What one statement cannot do is free an exclusive key: the key's lock has to come before. Most of what arrives here has
 * simply lost its lease.
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
    const ended = await end(connection, session.now(), ends, ALL_JOBS)
    return { ended, promoted: await promoteNext(connection, keys, session.now()) }
  })
  tell(session, ended)
  session.signals.changed({ queued: promoted.length > 0, events: promoted.map(toEvent) })
  return ended
}

const SHARED_JOBS = false
const ALL_JOBS = true

/**
 * `held` locks the rows the leases are right about and decides what becomes of each; the rest carries it out. Looked up
 * row by row (`OFFSET 0` keeps the planner from turning the loop around: it believes `live` to be empty).
 */
const END: Statement = {
  name: 'end_attempts',
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
      FROM unnest(
        $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::integer[],
        $10::text[], $11::bigint[], $12::text[], $13::bigint[]
      ) WITH ORDINALITY AS i (
        id, attempt, lease_token, type, reason, failure, message, exit_code, signal, delay_ms, statistics, next_log_seq,
        position
      )
      CROSS JOIN LATERAL (
        SELECT * FROM millrace.live
        WHERE live.id = i.id AND live.attempt = i.attempt AND live.lease_token = i.lease_token
          AND ($14::boolean OR live.exclusive_key IS NULL) AND (live.status = 'cancelling' OR i.type <> 'cancel')
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
        worker_id = NULL, lease_token = NULL, lease_until = NULL, updated_at = clock.now
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
    log AS (
      INSERT INTO millrace.log_part (job_id, first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key)
      SELECT p.job_id, p.first_seq, p.last_seq, p.attempt, p.first_at, p.last_at, p.bytes, p.data, p.blob_key
      FROM ${logInput(15)} AS p
      WHERE (p.job_id IN (SELECT id FROM held)) IS TRUE
      ${ON_SAME_LINES}
    )
    SELECT id, position, workspace, kind, run_id, workflow_id, parent_job_id, new_status AS status,
      CASE new_status WHEN 'pending' THEN 'retry_wait' WHEN 'queued' THEN NULL ELSE reason END AS status_reason, clock.now
    FROM held, clock`,
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
