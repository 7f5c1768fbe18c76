import { arrayLiteral } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import type { EventRow } from './job-rows.ts'

export type WorkspaceKey = { readonly workspace: string; readonly exclusiveKey: string }

/**
 * Any transaction that takes or frees an exclusive key locks it first, and looks for its holder in a later statement. Otherwise a submit that sees
 * the holder, and the holder's end that sees nobody waiting, would leave the waiting job stuck forever.
 */
const LOCK: Statement = {
  name: 'lock_keys',
  text: `
    SELECT pg_advisory_xact_lock(hash)
    FROM (
      SELECT DISTINCT hashtextextended(k.exclusive_key, hashtext(k.workspace)) AS hash
      FROM unnest($1::text[], $2::text[]) AS k (workspace, exclusive_key)
      ORDER BY hash
    ) AS hashes`,
}

export const lockKeys = async (connection: Queryable, keys: readonly WorkspaceKey[]): Promise<void> => {
  if (keys.length > 0) await connection.query(LOCK, columns(keys))
}

const TAKEN: Statement = {
  name: 'taken_keys',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($3::bigint) AS now)
    SELECT clock.now, live.workspace, live.exclusive_key
    FROM clock
    LEFT JOIN (
      SELECT DISTINCT live.workspace, live.exclusive_key
      FROM unnest($1::text[], $2::text[]) AS k (workspace, exclusive_key)
      JOIN millrace.live ON live.workspace = k.workspace AND live.exclusive_key = k.exclusive_key
        AND live.status IN ('queued', 'running', 'cancelling')
    ) AS live ON true`,
}

/** The current time, and which of the locked keys a job holds, each as JSON of [workspace, key]. */
export const takenKeys = async (
  connection: Queryable,
  keys: readonly WorkspaceKey[],
  injectedNow: number | null,
): Promise<{ now: number; taken: Set<string> }> => {
  type Row = { now: number; workspace: string | null; exclusive_key: string | null }
  const rows = await connection.query<Row>(TAKEN, [...columns(keys), injectedNow])
  const taken = rows
    .filter(row => row.workspace !== null)
    .map(row => JSON.stringify([row.workspace, row.exclusive_key]))
  return { now: rows[0]!.now, taken: new Set(taken) }
}

/** `FOR UPDATE` inside the limit skips a waiting job that is being cancelled in favour of the next. An item of a run is only found: it needs a slot as well. */
const QUEUE_NEXT: Statement = {
  name: 'queue_next_of_keys',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($3::bigint) AS now),
    next AS MATERIALIZED (
      SELECT waiting.*
      FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS k (workspace, exclusive_key)) AS k
      CROSS JOIN LATERAL (
        SELECT live.id, live.item_of
        FROM millrace.live
        WHERE live.workspace = k.workspace AND live.exclusive_key = k.exclusive_key
          AND live.status = 'pending' AND live.status_reason = 'exclusive_key'
        ORDER BY live.priority DESC, live.sequence
        LIMIT 1
        FOR UPDATE
      ) AS waiting
      WHERE NOT EXISTS (
        SELECT FROM millrace.live AS holder
        WHERE holder.workspace = k.workspace AND holder.exclusive_key = k.exclusive_key
          AND holder.status IN ('queued', 'running', 'cancelling')
      )
    ),
    queued AS (
      UPDATE millrace.live
      SET status = 'queued', status_reason = NULL, queued_at = clock.now, updated_at = clock.now
      FROM clock
      WHERE live.id = ANY (ARRAY(SELECT id FROM next WHERE item_of IS NULL))
      RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
        live.status_reason
    )
    SELECT queued.*, clock.now FROM queued, clock
    UNION ALL
    SELECT id, NULL, NULL, item_of, NULL, NULL, 'pending', NULL, NULL FROM next WHERE item_of IS NOT NULL`,
}

/** A job that waits for a free key and also needs a slot of its run. */
export type WaitingItem = { readonly id: string; readonly runId: string }

/** Call after a change under `lockKeys`. Queues the next job of each free key; if that is an item of a run, only returns it. */
export const queueNextOfKeys = async (
  connection: Queryable,
  keys: readonly WorkspaceKey[],
  injectedNow: number | null,
): Promise<{ queued: readonly EventRow[]; items: readonly WaitingItem[] }> => {
  const rows = await connection.query<EventRow>(QUEUE_NEXT, [...columns(keys), injectedNow])
  return {
    queued: rows.filter(row => row.status === 'queued'),
    items: rows.flatMap(row => (row.status === 'pending' ? [{ id: row.id, runId: row.run_id! }] : [])),
  }
}

const columns = (keys: readonly WorkspaceKey[]): [string, string] => [
  arrayLiteral(keys, key => key.workspace),
  arrayLiteral(keys, key => key.exclusiveKey),
]
