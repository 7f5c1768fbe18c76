import type { Statement } from './database.ts'
import { lockKeys, promoteNext, type WorkspaceKey } from './exclusive-keys.ts'
import { type EventRow, toEvent } from './job-rows.ts'
import type { Session } from './session.ts'

const PROMOTE: Statement = {
  name: 'promote_due',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    due AS MATERIALIZED (
      SELECT id
      FROM millrace.live
      WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NULL
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
    WHERE due_at <= (SELECT now FROM clock) AND exclusive_key IS NOT NULL
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
      AND live.due_at <= clock.now`,
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
  const rows = await session.database.query<EventRow>(PROMOTE, [session.now(), limit])
  // What is due and has no key comes first; the rest is looked at once that is done.
  const withKeys = rows.length < limit ? await promoteDueKeys(session, limit - rows.length) : []
  const promoted = [...rows, ...withKeys]
  if (promoted.length > 0) session.signals.changed({ queued: true, events: promoted.map(toEvent) })
  const [next] = await session.database.query<{ next_due_at: number | null }>(NEXT_DUE, [])
  return { promoted: promoted.length, nextDueAt: next!.next_due_at }
}

const promoteDueKeys = async (session: Session, limit: number): Promise<readonly EventRow[]> => {
  type Row = { workspace: string; exclusive_key: string }
  const due = await session.database.query<Row>(DUE_KEYS, [session.now(), limit])
  if (due.length === 0) return []
  const keys: readonly WorkspaceKey[] = due.map(row => ({ workspace: row.workspace, exclusiveKey: row.exclusive_key }))
  return session.database.transaction(async connection => {
    await lockKeys(connection, keys)
    await connection.query(QUEUE_UP, [session.now(), keys.map(key => key.workspace), keys.map(key => key.exclusiveKey)])
    return promoteNext(connection, keys, session.now())
  })
}
