import type { Database } from './database.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const listDoomedBlobs = ({ db }: Reader, { limit }: { limit: number }): string[] =>
  db.all<[string]>('SELECT key FROM doomed_blob ORDER BY position LIMIT ?', limit).map(([key]) => key)

export const forgetDoomedBlobs = ({ db }: Writer, { keys }: { keys: readonly string[] }): void => {
  for (const key of keys) db.run('DELETE FROM doomed_blob WHERE key = ?', key)
}

export const replaceBlob = ({ db }: Writer, { sha256, from, to }: { sha256: string; from: string; to: string }) => ({
  applied: db.get('UPDATE blob SET key = ? WHERE sha256 = ? AND key = ? RETURNING 1', to, sha256, from) !== undefined,
})

/** Of these keys, in their order, those that an artifact, a part of a log or a result refers to. */
export const filterKnownBlobs = ({ db }: Reader, { keys }: { keys: readonly string[] }): string[] =>
  keys.filter(key =>
    db.get(
      `SELECT 1 FROM blob WHERE key = ?1 UNION ALL SELECT 1 FROM log_part WHERE blob_key = ?1
       UNION ALL SELECT 1 FROM result WHERE blob_key = ?1`,
      key,
    ),
  )

/** Nothing refers to this blob any more: its content is to be deleted. */
export const doom = (db: Database, key: string): void => {
  db.run('INSERT INTO doomed_blob (key) VALUES (?) ON CONFLICT DO NOTHING', key)
}
