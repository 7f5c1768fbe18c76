import type { DoomedBlobs, Store } from '../store.ts'
import type { Queryable, Statement } from './database.ts'

const DOOM: Statement = {
  name: 'doom_blobs',
  text: 'INSERT INTO millrace.doomed_blob (key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING',
}

/** Marks unreferenced keys as doomed; a sweep deletes their content later. */
export const doomBlobs = async (connection: Queryable, keys: readonly string[]): Promise<void> => {
  if (keys.length > 0) await connection.query(DOOM, [keys])
}

const LOCK_BLOBS: Statement = {
  name: 'lock_blobs',
  text: `SELECT pg_advisory_xact_lock(hashtextextended('blobs', 0))`,
}

/**
 * Transactions that change several blobs go one after the other. Locking the rows in a fixed order would not prevent deadlocks, because a row may be
 * deleted and stored again while another transaction locks them.
 */
export const lockBlobs = async (connection: Queryable): Promise<void> => {
  await connection.query(LOCK_BLOBS, [])
}

const RELEASE_BLOBS: Statement = {
  name: 'release_blobs',
  text: `
    WITH released AS (SELECT sha256, count(*) AS times FROM unnest($1::text[]) AS r (sha256) GROUP BY sha256),
    kept AS (
      UPDATE millrace.blob
      SET reference_count = blob.reference_count - released.times
      FROM released
      WHERE blob.sha256 = released.sha256 AND blob.reference_count > released.times
    )
    DELETE FROM millrace.blob
    USING released
    WHERE blob.sha256 = released.sha256 AND blob.reference_count <= released.times
    RETURNING blob.key`,
}

/** Drops one reference per given hash; blobs without references are doomed. */
export const releaseBlobs = async (connection: Queryable, hashes: readonly string[]): Promise<void> => {
  if (hashes.length === 0) return
  await lockBlobs(connection)
  const rows = await connection.query<{ key: string }>(RELEASE_BLOBS, [hashes])
  await doomBlobs(
    connection,
    rows.map(row => row.key),
  )
}

const LIST_DOOMED: Statement = {
  name: 'list_doomed_blobs',
  text: 'SELECT key, position FROM millrace.doomed_blob WHERE position > $2 ORDER BY position LIMIT $1',
}

/** Implements `listDoomedBlobs`. The cursor is the position of the last blob returned. */
export const listDoomedBlobs = async (
  target: Queryable,
  { limit, cursor }: Parameters<Store['listDoomedBlobs']>[0],
): Promise<DoomedBlobs> => {
  const rows = await target.query<{ key: string; position: number }>(LIST_DOOMED, [limit, cursor ?? 0])
  return { keys: rows.map(row => row.key), cursor: rows.length < limit ? null : rows.at(-1)!.position }
}

const FORGET_DOOMED: Statement = {
  name: 'forget_doomed_blobs',
  text: 'DELETE FROM millrace.doomed_blob WHERE key = ANY ($1::text[])',
}

/** Implements `forgetDoomedBlobs`. */
export const forgetDoomedBlobs = async (target: Queryable, { keys }: { keys: readonly string[] }): Promise<void> => {
  await target.query(FORGET_DOOMED, [keys])
}

const REPLACE: Statement = {
  name: 'replace_blob',
  text: 'UPDATE millrace.blob SET key = $3 WHERE sha256 = $1 AND key = $2 RETURNING 1',
}

/** Implements `replaceBlob`. */
export const replaceBlob = async (
  target: Queryable,
  { sha256, from, to }: { sha256: string; from: string; to: string },
): Promise<{ applied: boolean }> => ({ applied: (await target.query(REPLACE, [sha256, from, to])).length > 0 })

const FILTER_KNOWN: Statement = {
  name: 'filter_known_blobs',
  text: `
    SELECT k.key
    FROM unnest($1::text[]) WITH ORDINALITY AS k (key, position)
    WHERE EXISTS (SELECT FROM millrace.blob WHERE blob.key = k.key)
      OR EXISTS (SELECT FROM millrace.log_part WHERE log_part.blob_key = k.key)
      OR EXISTS (SELECT FROM millrace.result WHERE result.blob_key = k.key)
    ORDER BY k.position`,
}

/** Implements `filterKnownBlobs`. */
export const filterKnownBlobs = async (
  target: Queryable,
  { keys }: { keys: readonly string[] },
): Promise<readonly string[]> => (await target.query<{ key: string }>(FILTER_KNOWN, [keys])).map(row => row.key)
