import type { Lease } from '../../../model/job.ts'
import type { JobStatus } from '../../../model/job-status.ts'
import type { LogPart } from '../../../model/log-line.ts'
import type { LogIndex } from '../../store.ts'
import { doom } from '../blobs.ts'
import type { Database } from '../database.ts'
import type { Reader } from '../reader.ts'
import type { Writer } from '../writer.ts'
import { findHeld, findSeq } from './live-job.ts'

type AddLogParts = { readonly lease: Lease; readonly parts: readonly LogPart[]; readonly replacesFrom?: number }

export const addLogParts = ({ db }: Writer, { lease, parts, replacesFrom }: AddLogParts): { applied: boolean } => {
  const job = findHeld(db, lease)
  if (!job) return { applied: false }
  if (replacesFrom !== undefined)
    db.run('DELETE FROM log_part WHERE seq = ? AND first_seq >= ? AND data IS NOT NULL', job.seq, replacesFrom)
  const nextLogSeq = insertLogParts(db, job.seq, parts)
  db.run('UPDATE live SET next_log_seq = max(next_log_seq, ?) WHERE seq = ?', nextLogSeq, job.seq)
  return { applied: true }
}

/**
 * A repeated part (its first answer was lost, or a rescue found it already stored) changes nothing, unless it has more lines than the inline part in
 * its place.
 */
const INSERT_PART = `INSERT INTO log_part (seq, first_seq, last_seq, attempt, first_at, last_at, bytes, blob_key, data)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (seq, first_seq) DO UPDATE SET last_seq = excluded.last_seq, last_at = excluded.last_at, bytes = excluded.bytes,
    blob_key = excluded.blob_key, data = excluded.data
    WHERE excluded.last_seq > log_part.last_seq AND log_part.blob_key IS NULL`

/** Returns the sequence number of the line after these parts. */
export const insertLogParts = (db: Database, seq: number, parts: readonly LogPart[]): number => {
  let nextLogSeq = 1
  for (const { firstSeq, lastSeq, attempt, firstAt, lastAt, bytes, blobKey, data } of parts) {
    db.run(INSERT_PART, seq, firstSeq, lastSeq, attempt, firstAt, lastAt, bytes, blobKey, data)
    nextLogSeq = Math.max(nextLogSeq, lastSeq + 1)
  }
  return nextLogSeq
}

type ListLogParts = {
  readonly workspace: string
  readonly jobId: string
  readonly fromSeq: number
  readonly limit: number
}

export const listLogParts = ({ db }: Reader, { workspace, jobId, fromSeq, limit }: ListLogParts): LogIndex | null => {
  // One transaction: a part sealed between two reads would appear twice or not at all.
  db.run('BEGIN')
  try {
    const seq = findSeq(db, workspace, jobId)
    if (seq === undefined) return null
    const [status, attempt, log] = db.get<[JobStatus, number, string | null]>(
      `SELECT coalesce(live.status, ended.status), coalesce(live.attempt, ended.attempt), ended.log
       FROM job LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq) WHERE job.seq = ?`,
      seq,
    )!
    return { status, attempt, parts: readParts(db, seq, fromSeq, limit), purged: log === 'purged' }
  } finally {
    db.run('COMMIT')
  }
}

/** Starts with the last part that begins at or before the line, if it reaches that far. */
const readParts = (db: Database, seq: number, fromSeq: number, limit: number): LogPart[] =>
  db
    .all<unknown[]>(
      `SELECT first_seq, last_seq, attempt, first_at, last_at, bytes, data, blob_key FROM log_part
       WHERE seq = ?1 AND last_seq >= ?2
         AND first_seq >= coalesce((SELECT max(first_seq) FROM log_part WHERE seq = ?1 AND first_seq <= ?2), 0)
       ORDER BY first_seq LIMIT ?3`,
      seq,
      fromSeq,
      limit,
    )
    .map(
      ([firstSeq, lastSeq, attempt, firstAt, lastAt, bytes, data, blobKey]) =>
        ({ firstSeq, lastSeq, attempt, firstAt, lastAt, bytes, data, blobKey }) as LogPart,
    )

type PurgeLogs = { readonly endedBefore: number; readonly limit: number }

/** Deletes the logs of ended jobs; the jobs then report theirs as purged. */
export const purgeLogs = ({ db }: Writer, { endedBefore, limit }: PurgeLogs): number => {
  const seqs = db.all<[number]>(
    `SELECT seq FROM ended WHERE log = 'kept' AND finished_at < ? ORDER BY finished_at LIMIT ?`,
    endedBefore,
    limit,
  )
  for (const [seq] of seqs) {
    deleteLogParts(db, seq)
    db.run("UPDATE ended SET log = 'purged' WHERE seq = ?", seq)
  }
  return seqs.length
}

export const deleteLogParts = (db: Database, seq: number): void => {
  const removed = db.all<[string | null]>('DELETE FROM log_part WHERE seq = ? RETURNING blob_key', seq)
  for (const [blobKey] of removed) if (blobKey !== null) doom(db, blobKey)
}
