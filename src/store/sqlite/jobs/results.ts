import type { ResultFormat } from '../../../model/job.ts'
import type { NewResult } from '../../../model/outcome.ts'
import type { StoredResult } from '../../store.ts'
import { doom } from '../blobs.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'

export const insertResult = ({ db, now }: Writer, seq: number, result: NewResult): void => {
  const { format, bytes, sha256, keptMs, content } = result
  const expiresAt = keptMs !== null && Number.isFinite(keptMs) ? now + Math.round(keptMs) : null
  const [blobKey, data] = 'data' in content ? [null, content.data] : [content.blobKey, null]
  db.run('INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?)', seq, format, bytes, sha256, expiresAt, blobKey, data)
}

/** Discards the result of a job that was cancelled before its attempt completed. */
export const discardResult = ({ db }: Writer, result: NewResult | null): void => {
  if (result && 'blobKey' in result.content) doom(db, result.content.blobKey)
}

type ResultRow = [
  ended: string | null,
  finishedAt: number,
  format: ResultFormat | null,
  bytes: number,
  sha256: string,
  expiresAt: number | null,
  blobKey: string | null,
  data: Uint8Array | null,
]

const RESULT_SQL = `SELECT ended.status, ended.finished_at, result.format, result.bytes, result.sha256, result.expires_at, result.blob_key, result.data
  FROM job LEFT JOIN ended USING (seq) LEFT JOIN result USING (seq) WHERE job.id = ? AND job.workspace = ?`

export const getResult = (
  { db, now }: Reader,
  { workspace, jobId }: { workspace: string; jobId: string },
): StoredResult | 'not_found' | 'not_finished' | 'none' | 'expired' => {
  const row = db.get<ResultRow>(RESULT_SQL, jobId, workspace)
  if (!row) return 'not_found'
  const [ended, storedAt, format, bytes, sha256, expiresAt, blobKey, data] = row
  if (ended === null) return 'not_finished'
  if (format === null) return 'none'
  const isOver = expiresAt !== null && expiresAt <= now
  const content = blobKey !== null ? { blobKey } : data !== null ? { data } : null
  return isOver || content === null ? 'expired' : { format, bytes, sha256, storedAt, expiresAt, content }
}

export const purgeResults = ({ db, now }: Writer, { limit }: { limit: number }): number => {
  const over = db.all<[seq: number, blobKey: string | null]>(
    `SELECT seq, blob_key FROM result
     WHERE expires_at IS NOT NULL AND expires_at <= ? AND (blob_key IS NOT NULL OR data IS NOT NULL)
     ORDER BY expires_at LIMIT ?`,
    now,
    limit,
  )
  for (const [seq, blobKey] of over) {
    if (blobKey !== null) doom(db, blobKey)
    db.run('UPDATE result SET blob_key = NULL, data = NULL WHERE seq = ?', seq)
  }
  return over.length
}

/** Called when its job is deleted. */
export const deleteResult = (db: Database, seq: number): void => {
  const deleted = db.get<[string | null]>('DELETE FROM result WHERE seq = ? RETURNING blob_key', seq)
  if (deleted?.[0]) doom(db, deleted[0])
}
