import type { Database } from './database.ts'
import { type EventRow, subjectOf } from './live-job.ts'
import type { Writer } from './writer.ts'

/** Whether a job of this key is queued, running or cancelling. */
export const isKeyHeld = (db: Database, workspace: string, key: string): boolean =>
  db.get(
    `SELECT 1 FROM live WHERE workspace = ? AND exclusive_key = ?
       AND exclusive_key IS NOT NULL AND status <> 'pending'`,
    workspace,
    key,
  ) !== undefined

/** After the holder has gone: the next of those that wait for the key is queued, the most urgent first. */
export const passKeyOn = (writer: Writer, workspace: string, key: string | null): void => {
  if (key === null) return
  const { db, now, effects } = writer
  const next = db.get<[number, ...EventRow]>(
    `SELECT live.seq, job.id, job.workspace, job.kind, job.run_id, job.workflow_id, job.parent_job_id
     FROM live JOIN job USING (seq)
     WHERE live.workspace = ? AND live.exclusive_key = ? AND live.exclusive_key IS NOT NULL AND live.status_reason = 'exclusive_key'
     ORDER BY live.priority DESC, live.seq LIMIT 1`,
    workspace,
    key,
  )
  if (!next) return
  const [seq, ...about] = next
  db.run(
    `UPDATE live SET status = 'queued', status_reason = NULL, queued_at = ?, updated_at = ? WHERE seq = ? AND status = 'pending'`,
    now,
    now,
    seq,
  )
  effects.hint('queued')
  effects.event(subjectOf(about), 'queued', null, now)
}
