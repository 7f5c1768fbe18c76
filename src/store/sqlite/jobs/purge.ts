import { sumBeforePurge } from '../analytics/sums.ts'
import { dropReference } from '../blobs.ts'
import { deletePublication } from '../data/publications.ts'
import type { Database } from '../database.ts'
import { deleteDeliveries } from '../sinks/deliveries.ts'
import type { Writer } from '../writer.ts'
import { findSeq } from './live-job.ts'
import { deleteLogParts } from './log-parts.ts'
import { deleteResult } from './results.ts'

export const purgeJob = (writer: Writer, { workspace, jobId }: { workspace: string; jobId: string }) => {
  const { db } = writer
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return 'not_found'
  if (db.get('SELECT 1 FROM live WHERE seq = ?', seq)) return 'not_ended'
  if (db.get("SELECT 1 FROM delivery WHERE seq = ? AND status = 'pending'", seq)) return 'delivery_pending'
  sumBeforePurge(writer, db.all<[number, number]>('SELECT seq, finished_at FROM ended WHERE seq = ?', seq))
  forget(writer, seq)
  return 'purged'
}

type Old = { readonly endedBefore: number; readonly limit: number; readonly cursor?: string | null }

/** Uses only the index of ends, which is ordered by time and position. */
const OLD_SQL = `SELECT seq, finished_at, EXISTS (SELECT 1 FROM delivery WHERE delivery.seq = ended.seq AND delivery.status = 'pending')
  FROM ended WHERE (finished_at, seq) > (?, ?) AND finished_at < ? ORDER BY finished_at, seq LIMIT ?`

/** The cursor is the end time and position of the last job checked. */
export const purgeEndedJobs = (writer: Writer, { endedBefore, limit, cursor = null }: Old) => {
  const after = cursor === null ? [Number.MIN_SAFE_INTEGER, 0] : cursor.split(' ').map(Number)
  const found = writer.db.all<[seq: number, finishedAt: number, isToBeTold: number]>(
    OLD_SQL,
    after[0]!,
    after[1]!,
    endedBefore,
    limit,
  )
  const told = found.flatMap(([seq, finishedAt, isToBeTold]) => (isToBeTold ? [] : [[seq, finishedAt] as const]))
  sumBeforePurge(writer, told)
  for (const [seq] of told) forget(writer, seq)
  const last = found.length < limit ? undefined : found.at(-1)
  return { purged: told.length, cursor: last ? `${last[1]} ${last[0]}` : null }
}

const forget = (writer: Writer, seq: number): void => {
  const { db } = writer
  deleteDeliveries(writer, seq)
  deleteResult(db, seq)
  deletePublication(db, seq)
  deleteLogParts(db, seq)
  for (const [sha256] of db.all<[string]>('DELETE FROM artifact WHERE seq = ? RETURNING sha256', seq))
    dropReference(db, sha256)
  db.run('DELETE FROM attempt WHERE seq = ?', seq)
  deleteLabels(db, seq)
  db.run('DELETE FROM ended WHERE seq = ?', seq)
  db.run('DELETE FROM job WHERE seq = ?', seq)
}

const deleteLabels = (db: Database, seq: number): void => {
  const [workspace, labels] = db.get<[string, string | null]>('SELECT workspace, labels FROM job WHERE seq = ?', seq)!
  if (labels === null) return
  for (const [key, value] of Object.entries(JSON.parse(labels) as Record<string, string>))
    db.run(
      'DELETE FROM job_label WHERE workspace = ? AND key = ? AND value = ? AND seq = ?',
      workspace,
      key,
      value,
      seq,
    )
}
