import type { Statement } from './database.ts'
import type { WorkspaceKey } from './exclusive-keys.ts'
import { type EventRow, toEvent } from './job-rows.ts'
import { withLocks } from './locks.ts'
import { passKeys } from './runs/pass-keys.ts'
import { RunChanges } from './runs/run-changes.ts'
import { settle } from './runs/settle.ts'
import type { Session } from './session.ts'

const PROMOTE: Statement = {
  name: 'promote_due',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    due AS MATERIALIZED (
      SELECT id
      FROM millrace.live
      WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NULL AND run_id IS NULL
      ORDER BY due_at, sequence
      LIMIT $2
      FOR UPDATE SKIP LOCKED
    )
    UPDATE millrace.live
    SET status = 'queued', status_reason = NULL, due_at = NULL, wait_ms = NULL, queued_at = clock.now,
      updated_at = clock.now
    FROM clock
    WHERE live.id = ANY (ARRAY(SELECT id FROM due))
    RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
      live.status_reason, clock.now`,
}

const DUE_KEYS: Statement = {
  name: 'due_keys',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    SELECT workspace, exclusive_key
    FROM millrace.live
    WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NOT NULL AND run_id IS NULL
    ORDER BY due_at
    LIMIT $2`,
}

/** A due job with a key joins those that wait for the key; whoever is first of them gets it if it is free. */
const QUEUE_UP: Statement = {
  name: 'queue_up_for_keys',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.live
    SET status_reason = 'exclusive_key', due_at = NULL, wait_ms = NULL
    FROM clock, unnest($2::text[], $3::text[]) AS k (workspace, exclusive_key)
    WHERE live.workspace = k.workspace AND live.exclusive_key = k.exclusive_key AND live.status = 'pending'
      AND live.run_id IS NULL AND live.due_at <= clock.now`,
}

const NEXT_DUE: Statement = {
  name: 'next_due',
  text: 'SELECT min(due_at) AS next_due_at FROM millrace.live WHERE due_at IS NOT NULL',
}

/** `promoteDueJobs`. */
export const promoteDueJobs = async (
  session: Session,
  { limit }: { limit: number },
): Promise<{ promoted: number; nextDueAt: number | null }> => {
  const plain = await session.queueing.ofAny(promotePlain(session, limit))
  // What is due and stands alone comes first; the rest is looked at once that is done.
  const withKeys = plain < limit ? await promoteDueKeys(session, limit - plain) : 0
  const promoted = plain + withKeys
  const items = promoted < limit ? await promoteDueItems(session, limit - promoted) : 0
  const [next] = await session.database.query<{ next_due_at: number | null }>(NEXT_DUE, [])
  return { promoted: promoted + items, nextDueAt: next!.next_due_at }
}

const promotePlain = async (session: Session, limit: number): Promise<number> => {
  const rows = await session.database.query<EventRow>(PROMOTE, [session.now(), limit])
  if (rows.length > 0) session.signals.changed({ queued: true, events: rows.map(toEvent) })
  return rows.length
}

const promoteDueKeys = async (session: Session, limit: number): Promise<number> => {
  type Row = { workspace: string; exclusive_key: string }
  const due = await session.database.query<Row>(DUE_KEYS, [session.now(), limit])
  if (due.length === 0) return 0
  const keys: readonly WorkspaceKey[] = due.map(row => ({ workspace: row.workspace, exclusiveKey: row.exclusive_key }))
  return withLocks(session, { keys }, async work => {
    const columns = [keys.map(key => key.workspace), keys.map(key => key.exclusiveKey)]
    await work.connection.query(QUEUE_UP, [work.now, ...columns])
    await passKeys(work, keys)
    return work.effects.jobs.length
  })
}

const DUE_RUNS: Statement = {
  name: 'due_runs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    SELECT DISTINCT run_id
    FROM (
      SELECT run_id FROM millrace.live
      WHERE due_at <= (SELECT now FROM clock) AND run_id IS NOT NULL
      ORDER BY due_at
      LIMIT $2
    ) AS due`,
}

/**
 * A due item waits for a slot of its run, or is held when that is paused. A job that only names a run waits for its key,
 * if it has one, and is queued otherwise.
 */
const QUEUE_UP_ITEMS: Statement = {
  name: 'queue_up_items',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    due AS MATERIALIZED (
      SELECT live.id,
        CASE
          WHEN run.paused THEN 'run_paused'
          WHEN run.id IS NOT NULL THEN 'run_concurrency'
          WHEN live.exclusive_key IS NOT NULL THEN 'exclusive_key'
        END AS reason
      FROM clock, millrace.live
      LEFT JOIN millrace.run ON run.id = live.run_id
      WHERE live.run_id = ANY ($2::text[]) AND live.status = 'pending' AND live.due_at <= clock.now
    )
    UPDATE millrace.live
    SET status = CASE WHEN due.reason IS NULL THEN 'queued' ELSE 'pending' END, status_reason = due.reason,
      due_at = NULL, wait_ms = NULL,
      queued_at = CASE WHEN due.reason IS NULL THEN clock.now ELSE live.queued_at END,
      updated_at = CASE WHEN due.reason IS NULL THEN clock.now ELSE live.updated_at END
    FROM clock, due
    WHERE live.id = due.id
    RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
      live.status_reason, live.exclusive_key, clock.now`,
}

const promoteDueItems = async (session: Session, limit: number): Promise<number> => {
  const due = await session.database.query<{ run_id: string }>(DUE_RUNS, [session.now(), limit])
  const runs = due.map(row => row.run_id)
  if (runs.length === 0) return 0
  return withLocks(session, { runs }, async work => {
    type Row = EventRow & { readonly exclusive_key: string | null }
    const rows = await work.connection.query<Row>(QUEUE_UP_ITEMS, [work.now, runs])
    work.effects.jobs.push(...rows.filter(row => row.status === 'queued'))
    const changes = new RunChanges()
    for (const row of rows) if (row.status_reason === 'run_concurrency') changes.note(row.run_id!)
    const keys = rows.flatMap(({ status_reason, workspace, exclusive_key }) =>
      status_reason === 'exclusive_key' ? [{ workspace, exclusiveKey: exclusive_key! }] : [],
    )
    await settle(work, { changes, keys })
    return work.effects.jobs.length
  })
}
