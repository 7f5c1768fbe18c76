import type { Queryable, Statement } from '../database.ts'
import { withLocks } from '../locks.ts'
import type { Session } from '../session.ts'

const FIND_OLD: Statement = {
  name: 'find_old_runs',
  text: `
    SELECT run.id, run.workflow_id
    FROM millrace.run
    WHERE run.finished_at IS NOT NULL AND run.finished_at < $1
      AND NOT EXISTS (SELECT FROM millrace.job WHERE job.workspace = run.workspace AND job.run_id = run.id)
    ORDER BY run.finished_at
    LIMIT $2`,
}

/** Requires the workflow locks: without them nobody can create a run that refers to an existing snapshot. */
const PURGE: Statement = {
  name: 'purge_runs',
  text: 'DELETE FROM millrace.run WHERE id = ANY ($1::text[]) RETURNING 1',
}

const PURGE_SNAPSHOTS: Statement = {
  name: 'purge_snapshots',
  text: `
    DELETE FROM millrace.snapshot
    WHERE workflow_id = ANY ($1::text[]) AND NOT EXISTS (
      SELECT FROM millrace.run
      WHERE run.workflow_id = snapshot.workflow_id AND run.snapshot_hash = snapshot.hash
    )`,
}

type Old = { readonly endedBefore: number; readonly limit: number }

/** Implements `purgeRuns`: runs first, then slots. */
export const purgeRuns = async (session: Session, { endedBefore, limit }: Old): Promise<number> => {
  const runs = await purgeOldRuns(session, { endedBefore, limit })
  return runs < limit ? runs + (await purgeSlots(session.database, { endedBefore, limit: limit - runs })) : runs
}

const purgeOldRuns = async (session: Session, { endedBefore, limit }: Old): Promise<number> => {
  const old = await session.database.query<{ id: string; workflow_id: string }>(FIND_OLD, [endedBefore, limit])
  if (old.length === 0) return 0
  const workflows = old.map(run => run.workflow_id)
  return withLocks(session, { workflows }, async ({ connection }) => {
    const purged = await connection.query(PURGE, [old.map(run => run.id)])
    await connection.query(PURGE_SNAPSHOTS, [workflows])
    return purged.length
  })
}

const PURGE_SLOTS: Statement = {
  name: 'purge_slots',
  text: `
    DELETE FROM millrace.slot
    WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM millrace.slot WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1`,
}

const purgeSlots = async (target: Queryable, { endedBefore, limit }: Old): Promise<number> =>
  (await target.query(PURGE_SLOTS, [endedBefore, limit])).length
