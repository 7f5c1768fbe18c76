import { isId } from '../../kernel/ids.ts'
import type { CancelReason } from '../../model/job-status.ts'
import type { CancelOutcome, JobFilters } from '../store.ts'
import { arrayLiteral } from './array-literal.ts'
import type { Queryable, Statement } from './database.ts'
import type { EventRow } from './job-rows.ts'
import { scanPage } from './list.ts'
import { type Work, withLocks } from './locks.ts'
import { readJob } from './read-job.ts'
import { RunChanges } from './runs/run-changes.ts'
import { settle } from './runs/settle.ts'
import type { Session } from './session.ts'

type Target = {
  readonly id: string
  readonly workspace: string
  readonly run_id: string | null
  readonly exclusive_key: string | null
}
type Cancel = { readonly reason: CancelReason; readonly graceMs: number | null }

/** `cancelJob`. */
export const cancelJob = async (
  session: Session,
  { workspace, jobId, ...cancel }: { workspace: string; jobId: string } & Cancel,
): Promise<CancelOutcome> => {
  if (!isId(jobId)) return { type: 'not_found' }
  // Read while its row is locked: a moment later the worker may have ended it.
  const read = (connection: Queryable) => readJob(connection, { workspace, jobId })
  const outcome = await cancelAll(session, { workspace, ids: [jobId], ...cancel }, read)
  const job = outcome ? outcome.read : await read(session.database)
  if (!job) return { type: 'not_found' }
  if (outcome?.changed[0]?.status === 'cancelled') return { type: 'cancelled', job }
  return job.status === 'cancelling' ? { type: 'cancelling', job } : { type: 'ended', job }
}

const CANCELLABLE = ['pending', 'queued', 'running'] as const

/** `cancelMatching`: goes through pages of matching jobs until one has something to cancel. */
export const cancelMatching = async (
  session: Session,
  {
    workspace,
    filters,
    limit,
    reason,
  }: {
    workspace: string
    filters: JobFilters
    reason: CancelReason
    limit: number
  },
): Promise<{ cancelled: number; cancelling: number }> => {
  const status = CANCELLABLE.filter(status => filters.status?.includes(status) ?? true)
  if (status.length === 0) return { cancelled: 0, cancelling: 0 }
  let below: number | null = null
  do {
    const page = await scanPage(session.database.lister, { workspace, filters: { ...filters, status }, limit, below })
    const ids = page.rows.map(row => row.id)
    const outcome = await cancelAll(session, { workspace, ids, reason, graceMs: null }, async () => null)
    const changed = outcome?.changed ?? []
    const cancelled = changed.filter(row => row.status === 'cancelled').length
    if (changed.length > 0) return { cancelled, cancelling: changed.length - cancelled }
    below = page.below
  } while (below !== null)
  return { cancelled: 0, cancelling: 0 }
}

const FIND_TARGETS: Statement = {
  name: 'find_cancel_targets',
  text: 'SELECT id, workspace, run_id, exclusive_key FROM millrace.live WHERE id = ANY ($1::uuid[]) AND workspace = $2',
}

const LOCK_TARGETS: Statement = {
  name: 'lock_cancel_targets',
  text: 'SELECT id FROM millrace.live WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE',
}

/** On locked rows, so that all parts see the same status. A second cancel may only shorten the grace. */
const CANCEL: Statement = {
  name: 'cancel_jobs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    gone AS (
      DELETE FROM millrace.live
      WHERE id = ANY ($2::uuid[]) AND status IN ('pending', 'queued')
      RETURNING live.*
    ),
    ended AS (
      INSERT INTO millrace.ended (
        id, sequence, finished_at, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        has_log, workspace, status, status_reason, signal, progress
      )
      SELECT id, sequence, clock.now, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        next_log_seq > 1, workspace, 'cancelled', $3::text, signal, progress
      FROM gone, clock
    ),
    stopping AS (
      UPDATE millrace.live
      SET status = 'cancelling', status_reason = $3::text, grace_ms = $4::bigint, updated_at = clock.now
      FROM clock
      WHERE live.id = ANY ($2::uuid[]) AND live.status = 'running'
      RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id
    ),
    again AS (
      UPDATE millrace.live
      SET grace_ms = least($4::bigint, coalesce(live.grace_ms, (job.options::json ->> 'graceMs')::bigint))
      FROM millrace.job
      WHERE live.id = ANY ($2::uuid[]) AND live.status = 'cancelling' AND job.id = live.id AND $4::bigint IS NOT NULL
      RETURNING live.id
    )
    SELECT id, workspace, kind, run_id, workflow_id, parent_job_id, 'cancelled' AS status, $3::text AS status_reason,
      clock.now
    FROM gone, clock
    UNION ALL
    SELECT id, workspace, kind, run_id, workflow_id, parent_job_id, 'cancelling', $3::text, clock.now
    FROM stopping, clock
    UNION ALL
    SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, clock.now FROM again, clock`,
}

/** Cancels those of the jobs that have not ended; says whose status changed. null: all have ended. */
const cancelAll = async <T>(
  session: Session,
  { workspace, ids, reason, graceMs }: { workspace: string; ids: readonly string[] } & Cancel,
  readAfter: (connection: Queryable) => Promise<T>,
): Promise<{ changed: readonly EventRow[]; read: T } | null> => {
  const targets = await session.database.query<Target>(FIND_TARGETS, [arrayLiteral(ids, id => id), workspace])
  if (targets.length === 0) return null
  const keys = targets.flatMap(({ workspace, exclusive_key }) =>
    exclusive_key === null ? [] : [{ workspace, exclusiveKey: exclusive_key }],
  )
  const runs = targets.flatMap(target => target.run_id ?? [])
  return withLocks(session, { runs, keys }, async work => {
    const changed = await cancelLocked(work, { ids: targets.map(target => target.id), reason, graceMs })
    const changes = new RunChanges()
    countCancelled(changes, changed)
    await settle(work, { changes, keys })
    return { changed, read: await readAfter(work.connection) }
  })
}

/** Under the locks of their runs and keys. Gives those whose status changed. */
export const cancelLocked = async (
  { connection, effects, now }: Work,
  { ids, reason, graceMs }: { ids: readonly string[] } & Cancel,
): Promise<readonly EventRow[]> => {
  if (ids.length === 0) return []
  const list = arrayLiteral(ids, id => id)
  await connection.query(LOCK_TARGETS, [list])
  const rows = await connection.query<EventRow>(CANCEL, [now, list, reason, graceMs])
  const changed = rows.filter(row => row.status !== null)
  effects.jobs.push(...changed)
  if (rows.some(row => row.status !== 'cancelled')) effects.cancel = true
  for (const { workspace, status } of changed) if (status === 'cancelled') effects.addWaiting(workspace, -1)
  return changed
}

/** A cancelled item may have held a slot; one that is cancelling still does. */
export const countCancelled = (changes: RunChanges, rows: readonly EventRow[]): void => {
  for (const { run_id, status } of rows)
    if (run_id !== null && status === 'cancelled') changes.note(run_id, 'cancelled')
}
