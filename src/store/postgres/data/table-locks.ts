import { isId } from '../../../kernel/ids.ts'
import type { DataStore, TableBusy, TableHolder } from '../../data-store.ts'
import { arrayLiteral, storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import { toClaimToken } from '../jobs/lease-token.ts'
import type { Session } from '../session.ts'

/**
 * Serializes table locks and catalogue changes per workspace. Both check for conflicts in a later statement, so no lock can be taken between the
 * check and the change that depends on it.
 */
const LOCK_WORKSPACE: Statement = {
  name: 'lock_tables_of_workspace',
  text: `SELECT pg_advisory_xact_lock(hashtextextended($1, hashtext('tables')))`,
}

export const lockWorkspace = async (connection: Queryable, workspace: string): Promise<void> => {
  await connection.query(LOCK_WORKSPACE, [workspace])
}

/** An expiry further away than any lock can be held means that the clock was set back. */
const IS_VALID = `
        CASE WHEN t.call_id IS NULL
          THEN EXISTS (
            SELECT FROM millrace.live
            WHERE live.id = t.job_id AND live.attempt = t.attempt AND live.claim_token = t.claim_token)
          ELSE t.held_until > clock.now AND t.held_until <= clock.now + 2 * t.held_ms
        END`

/** Expired locks are dropped here rather than where attempts end: most ends have nothing to unlock. */
const DROP_OVER: Statement = {
  name: 'drop_table_locks_over',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    DELETE FROM millrace.table_lock AS t USING clock WHERE t.workspace = $2 AND NOT (${IS_VALID})`,
}

/** Runs after expired locks were dropped. `is_held`: the lease is held, or the holder is a call. */
const TAKE: Statement = {
  name: 'take_table_locks',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    holder AS MATERIALIZED (
      SELECT $7::text IS NOT NULL OR EXISTS (
        SELECT FROM millrace.live
        WHERE live.id = $4::uuid AND live.attempt = $5::integer AND live.claim_token = $6::uuid AND live.workspace = $2
      ) AS is_held
    ),
    busy AS MATERIALIZED (
      SELECT name, job_id
      FROM millrace.table_lock
      WHERE workspace = $2 AND name = ANY ($3::text[] || $9::text[])
        AND (claim_token, job_id, call_id) IS DISTINCT FROM ($6::uuid, $4::uuid, $7::text)
      ORDER BY name
      LIMIT 1
    ),
    taken AS (
      INSERT INTO millrace.table_lock (workspace, name, job_id, attempt, claim_token, call_id, held_ms, held_until)
      SELECT $2, wanted.name, $4::uuid, $5::integer, $6::uuid, $7::text, $8::bigint, clock.now + $8::bigint
      FROM clock, holder, (SELECT DISTINCT unnest($3::text[]) AS name) AS wanted
      WHERE holder.is_held AND NOT EXISTS (SELECT FROM busy)
      ON CONFLICT (workspace, name) DO UPDATE SET held_ms = excluded.held_ms, held_until = excluded.held_until
    )
    SELECT holder.is_held, busy.name, busy.job_id FROM holder LEFT JOIN busy ON true`,
}

type TakeRow = { readonly is_held: boolean; readonly name: string | null; readonly job_id: string | null }

/** Implements `lockTables`. */
export const lockTables = async (
  session: Session,
  { workspace, tables, unless = [], holder }: Parameters<DataStore['lockTables']>[0],
): ReturnType<DataStore['lockTables']> => {
  if ('lease' in holder && !isId(holder.lease.jobId)) return { type: 'lost' }
  const names = arrayLiteral(tables, name => storable(name))
  const others = arrayLiteral(unless, name => storable(name))
  const now = session.now()
  const [, , [taken]] = await session.database.transaction(connection =>
    Promise.all([
      lockWorkspace(connection, workspace),
      connection.query(DROP_OVER, [now, workspace]),
      connection.query<TakeRow>(TAKE, [now, workspace, names, ...columnsOf(holder), heldMs(holder), others]),
    ]),
  )
  if (!taken!.is_held) return { type: 'lost' }
  return taken!.name === null ? { type: 'locked' } : { type: 'busy', table: taken!.name, jobId: taken!.job_id }
}

/** Job, attempt and claim token of a lease, or the id of a call. */
const columnsOf = (holder: TableHolder) =>
  'lease' in holder
    ? [holder.lease.jobId, holder.lease.attempt, toClaimToken(holder.lease), null]
    : [null, null, null, storable(holder.callId)]

const heldMs = (holder: TableHolder): number | null => ('lease' in holder ? null : Math.round(holder.heldMs))

const FIND_BUSY: Statement = {
  name: 'find_busy_table',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now)
    SELECT t.name, t.job_id
    FROM clock, millrace.table_lock AS t
    WHERE t.workspace = $2 AND t.name = ANY ($3::text[]) AND ${IS_VALID}
    ORDER BY t.name
    LIMIT 1`,
}

/** The first table, by name, that anyone has locked. */
export const findBusy = async (
  connection: Queryable,
  { now, workspace, tables }: { now: number | null; workspace: string; tables: readonly string[] },
): Promise<TableBusy | null> => {
  const names = arrayLiteral(tables, name => storable(name))
  const [row] = await connection.query<{ name: string; job_id: string | null }>(FIND_BUSY, [now, workspace, names])
  return row ? { type: 'busy', table: row.name, jobId: row.job_id } : null
}

const UNLOCK: Statement = {
  name: 'unlock_tables',
  text: `
    DELETE FROM millrace.table_lock
    WHERE workspace = $1
      AND (job_id, attempt, claim_token, call_id) IS NOT DISTINCT FROM ($2::uuid, $3::integer, $4::uuid, $5::text)`,
}

/** Implements `unlockTables`. */
export const unlockTables = async (
  session: Session,
  { workspace, holder }: Parameters<DataStore['unlockTables']>[0],
): Promise<void> => {
  if ('lease' in holder && !isId(holder.lease.jobId)) return
  await session.database.transaction(connection =>
    Promise.all([lockWorkspace(connection, workspace), connection.query(UNLOCK, [workspace, ...columnsOf(holder)])]),
  )
}
