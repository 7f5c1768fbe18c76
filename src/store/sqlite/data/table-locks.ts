import type { TableBusy, TableHolder } from '../../data-store.ts'
import { findHeld, seqOfToken } from '../jobs/live-job.ts'
import type { Writer } from '../writer.ts'

type LockTables = {
  readonly workspace: string
  readonly tables: readonly string[]
  readonly unless?: readonly string[]
  readonly holder: TableHolder
}

export const lockTables = (
  writer: Writer,
  { workspace, tables, unless = [], holder }: LockTables,
): { type: 'locked' } | TableBusy | { type: 'lost' } => {
  if ('lease' in holder && findHeld(writer.db, holder.lease)?.workspace !== workspace) return { type: 'lost' }
  dropOver(writer, workspace)
  const busy = findBusy(writer, { workspace, tables: [...tables, ...unless], holder })
  if (busy) return busy
  for (const table of tables) take(writer, workspace, table, holder)
  return { type: 'locked' }
}

/** An expiry further away than any lock can be held means that the clock was set back. */
const IS_VALID = `CASE WHEN call_id IS NULL
    THEN EXISTS (SELECT 1 FROM live WHERE live.seq = table_lock.seq AND live.attempt = table_lock.attempt
      AND live.lease_token = table_lock.lease_token)
    ELSE held_until > ?2 AND held_until <= ?2 + 2 * held_ms END`

/** One process owns the database: calls that hold tables when it is opened belong to a dead process, so nobody need wait for them to expire. */
export const forgetCalls = (db: Writer['db']): void => {
  db.run('DELETE FROM table_lock WHERE call_id IS NOT NULL')
}

/** Expired locks are dropped here rather than where attempts end: most ends have nothing to unlock. */
const dropOver = ({ db, now }: Writer, workspace: string): void => {
  db.run(`DELETE FROM table_lock WHERE workspace = ?1 AND NOT (${IS_VALID})`, workspace, now)
}

const BUSY_SQL = `SELECT name, (SELECT id FROM job WHERE job.seq = table_lock.seq) FROM table_lock
  WHERE workspace = ?1 AND name IN (SELECT value FROM json_each(?3)) AND ${IS_VALID}
    AND (attempt IS NOT ?4 OR lease_token IS NOT ?5 OR call_id IS NOT ?6)
  ORDER BY name LIMIT 1`

/** The first table, by name, that someone other than the holder has locked; with a null holder, that anyone has. */
export const findBusy = (
  { db, now }: Writer,
  { workspace, tables, holder }: Pick<LockTables, 'workspace' | 'tables'> & { readonly holder: TableHolder | null },
): TableBusy | undefined => {
  const found = db.get<[table: string, jobId: string | null]>(
    BUSY_SQL,
    workspace,
    now,
    JSON.stringify(tables),
    ...keyOf(holder),
  )
  return found && { type: 'busy', table: found[0], jobId: found[1] }
}

/** Attempt and token of a lease, or the id of a call. */
const keyOf = (holder: TableHolder | null) => {
  if (holder === null) return [null, null, null] as const
  if ('lease' in holder) return [holder.lease.attempt, holder.lease.leaseToken, null] as const
  return [null, null, holder.callId] as const
}

const TAKE_SQL = `INSERT INTO table_lock (workspace, name, seq, attempt, lease_token, call_id, held_ms, held_until)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET held_ms = excluded.held_ms, held_until = excluded.held_until`

const take = ({ db, now }: Writer, workspace: string, table: string, holder: TableHolder): void => {
  if ('lease' in holder) {
    const { attempt, leaseToken } = holder.lease
    db.run(TAKE_SQL, workspace, table, seqOfToken(leaseToken), attempt, leaseToken, null, null, null)
  } else {
    const heldMs = Math.round(holder.heldMs)
    db.run(TAKE_SQL, workspace, table, null, null, null, holder.callId, heldMs, now + heldMs)
  }
}

export const unlockTables = (
  { db }: Writer,
  { workspace, holder }: { workspace: string; holder: TableHolder },
): void => {
  db.run(
    'DELETE FROM table_lock WHERE workspace = ? AND attempt IS ? AND lease_token IS ? AND call_id IS ?',
    workspace,
    ...keyOf(holder),
  )
}
