import { doom } from './blobs.ts'
import type { Database } from './database.ts'
import { findSeq } from './live-job.ts'
import { deleteLogParts } from './log-parts.ts'
import type { Writer } from './writer.ts'

export const purgeJob = ({ db }: Writer, { workspace, jobId }: { workspace: string; jobId: string }) => {
  const seq = findSeq(db, workspace, jobId)
  if (seq === undefined) return 'not_found'
  if (db.get('SELECT 1 FROM live WHERE seq = ?', seq)) return 'not_ended'
  forget(db, seq)
  return 'purged'
}

export const purgeEndedJobs = (
  { db }: Writer,
  { endedBefore, limit }: { endedBefore: number; limit: number },
): number => {
  const seqs = db.all<[number]>(
    'SELECT seq FROM ended WHERE finished_at < ? ORDER BY finished_at LIMIT ?',
    endedBefore,
    limit,
  )
  for (const [seq] of seqs) forget(db, seq)
  return seqs.length
}

const forget = (db: Database, seq: number): void => {
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

/** The blob of the last artifact that referred to it is doomed. */
const dropReference = (db: Database, sha256: string): void => {
  const last = db.get<[string]>('DELETE FROM blob WHERE sha256 = ? AND reference_count = 1 RETURNING key', sha256)
  if (last) doom(db, last[0])
  else db.run('UPDATE blob SET reference_count = reference_count - 1 WHERE sha256 = ?', sha256)
}
