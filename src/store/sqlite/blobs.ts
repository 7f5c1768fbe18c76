import type { DoomedBlobs, Store } from '../store.ts'
import type { Database } from './database.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** The cursor is the position of the last blob returned. */
export const listDoomedBlobs = (
  { db }: Reader,
  { limit, cursor }: Parameters<Store['listDoomedBlobs']>[0],
): DoomedBlobs => {
  const rows = db.all<[string, number]>(
    'SELECT key, position FROM doomed_blob WHERE position > ? ORDER BY position LIMIT ?',
    cursor ?? 0,
    limit,
  )
  return { keys: rows.map(([key]) => key), cursor: rows.length < limit ? null : rows.at(-1)![1] }
}

export const forgetDoomedBlobs = ({ db }: Writer, { keys }: { keys: readonly string[] }): void => {
  for (const key of keys) db.run('DELETE FROM doomed_blob WHERE key = ?', key)
}

export const replaceBlob = ({ db }: Writer, { sha256, from, to }: { sha256: string; from: string; to: string }) => ({
  applied: db.get('UPDATE blob SET key = ? WHERE sha256 = ? AND key = ? RETURNING 1', to, sha256, from) !== undefined,
})

/** Of these keys, in order, those that an artifact, a log part or a result refers to. */
export const filterKnownBlobs = ({ db }: Reader, { keys }: { keys: readonly string[] }): string[] =>
  keys.filter(key =>
    db.get(
      `SELECT 1 FROM blob WHERE key = ?1 UNION ALL SELECT 1 FROM log_part WHERE blob_key = ?1
       UNION ALL SELECT 1 FROM result WHERE blob_key = ?1`,
      key,
    ),
  )

/** Marks an unreferenced blob: its content is to be deleted. */
export const doom = (db: Database, key: string): void => {
  db.run('INSERT INTO doomed_blob (key) VALUES (?) ON CONFLICT DO NOTHING', key)
}

/** Drops one reference to a content, by hash. Dooms its blob if that was the last one. */
export const dropReference = (db: Database, sha256: string): void => {
  const last = db.get<[string]>('DELETE FROM blob WHERE sha256 = ? AND reference_count = 1 RETURNING key', sha256)
  if (last) doom(db, last[0])
  else db.run('UPDATE blob SET reference_count = reference_count - 1 WHERE sha256 = ?', sha256)
}
