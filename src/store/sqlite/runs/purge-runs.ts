import type { Database } from '../database.ts'
import type { Writer } from '../writer.ts'

type Purge = { readonly endedBefore: number; readonly limit: number }

/** Deletes old slots, and runs that ended long ago and whose jobs have all been purged; snapshots go with their last run. */
export const purgeRuns = ({ db }: Writer, { endedBefore, limit }: Purge): number => {
  const slots = db.run(
    `DELETE FROM slot WHERE (workflow, slot) IN
       (SELECT workflow, slot FROM slot WHERE recorded_at < ? ORDER BY recorded_at LIMIT ?)`,
    endedBefore,
    limit,
  )
  const runs = findRuns(db, endedBefore, limit - slots)
  for (const [seq, snapshot] of runs) {
    db.run('DELETE FROM run WHERE seq = ?', seq)
    db.run('DELETE FROM snapshot WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE snapshot = ?1)', snapshot)
  }
  return slots + runs.length
}

const findRuns = (db: Database, endedBefore: number, limit: number) =>
  db.all<[seq: number, snapshot: number]>(
    `SELECT seq, snapshot FROM run WHERE finished_at IS NOT NULL AND finished_at < ?
       AND NOT EXISTS (SELECT 1 FROM job INDEXED BY job_run
         WHERE job.workspace = run.workspace AND job.run_id = run.id AND job.run_id IS NOT NULL)
     ORDER BY finished_at LIMIT ?`,
    endedBefore,
    limit,
  )
