import type { Statement } from '../database.ts'
import { withLocks } from '../locks.ts'
import { passKeys } from '../runs/pass-keys.ts'
import { settle } from '../runs/settle.ts'
import type { Session } from '../session.ts'
import type { WorkspaceKey } from './exclusive-keys.ts'
import { type EventRow, toEvent } from './job-rows.ts'

/** Ordered by due time only, as the index is: otherwise each batch would sort all jobs that are due at the same instant. */
const PROMOTE: Statement = {
  name: 'promote_due',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    due AS MATERIALIZED (
      SELECT id
      FROM millrace.live
      WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NULL AND item_of IS NULL
      ORDER BY due_at
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
    WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NOT NULL AND item_of IS NULL
    ORDER BY due_at
    LIMIT $2`,
}

/** A due job with a key joins the jobs waiting for that key; the first of them gets it if it is free. */
const QUEUE_UP: Statement = {
  name: 'queue_up_for_keys',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.live
    SET status_reason = 'exclusive_key', due_at = NULL, wait_ms = NULL
    FROM clock, unnest($2::text[], $3::text[]) AS k (workspace, exclusive_key)
    WHERE live.workspace = k.workspace AND live.exclusive_key = k.exclusive_key AND live.status = 'pending'
      AND live.item_of IS NULL AND live.due_at <= clock.now`,
}

const NEXT_DUE: Statement = {
  name: 'next_due',
  text: 'SELECT min(due_at) AS next_due_at FROM millrace.live WHERE due_at IS NOT NULL',
}

/** Implements `promoteDueJobs`. */
export const promoteDueJobs = async (
  session: Session,
  { limit }: { limit: number },
): Promise<{ promoted: number; nextDueAt: number | null }> => {
  const plain = await session.queueing.ofAny(promotePlain(session, limit))
  // Standalone jobs come first; the rest is checked only if the limit is not used up.
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
    SELECT DISTINCT item_of
    FROM (
      SELECT item_of FROM millrace.live
      WHERE due_at <= (SELECT now FROM clock) AND item_of IS NOT NULL
      ORDER BY due_at
      LIMIT $2
    ) AS due`,
}

/** A due item waits for a slot of its run, or is held if the run is paused. */
const QUEUE_UP_ITEMS: Statement = {
  name: 'queue_up_items',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    UPDATE millrace.live
    SET status_reason = CASE WHEN run.paused THEN 'run_paused' ELSE 'run_concurrency' END, due_at = NULL, wait_ms = NULL
    FROM clock, millrace.run
    WHERE run.id = ANY ($2::text[]) AND live.item_of = run.id AND live.status = 'pending' AND live.due_at <= clock.now
    RETURNING run.id, run.paused`,
}

const promoteDueItems = async (session: Session, limit: number): Promise<number> => {
  const due = await session.database.query<{ item_of: string }>(DUE_RUNS, [session.now(), limit])
  const runs = due.map(row => row.item_of)
  if (runs.length === 0) return 0
  return withLocks(session, { runs }, async work => {
    const items = await work.connection.query<{ id: string; paused: boolean }>(QUEUE_UP_ITEMS, [work.now, runs])
    for (const { id, paused } of items) if (!paused) work.touched.runs.note(id)
    await settle(work)
    return work.effects.jobs.length
  })
}
