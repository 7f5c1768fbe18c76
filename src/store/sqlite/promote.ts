import { isKeyHeld } from './exclusive-key.ts'
import { EVENT_SQL, type EventRow, subjectOf } from './live-job.ts'
import type { Writer } from './writer.ts'

type DueRow = [seq: number, exclusiveKey: string | null, ...EventRow]

const DUE_SQL = `SELECT live.seq, live.exclusive_key, ${EVENT_SQL} FROM live JOIN job USING (seq)
  WHERE live.due_at IS NOT NULL AND live.due_at <= ? ORDER BY live.due_at, live.seq LIMIT ?`

export const promoteDueJobs = (writer: Writer, { limit }: { limit: number }) => {
  const { db, now } = writer
  let promoted = 0
  for (const [seq, exclusiveKey, ...about] of db.all<DueRow>(DUE_SQL, now, limit)) {
    const subject = subjectOf(about)
    if (exclusiveKey !== null && isKeyHeld(db, subject.workspace, exclusiveKey)) {
      db.run("UPDATE live SET status_reason = 'exclusive_key', due_at = NULL, wait_ms = NULL WHERE seq = ?", seq)
      continue
    }
    db.run(PROMOTE_SQL, now, now, seq)
    writer.effects.event(subject, 'queued', null, now)
    promoted++
  }
  if (promoted > 0) writer.effects.hint('queued')
  const [nextDueAt] = db.get<[number | null]>('SELECT min(due_at) FROM live WHERE due_at IS NOT NULL')!
  return { promoted, nextDueAt }
}

const PROMOTE_SQL = `UPDATE live SET status = 'queued', status_reason = NULL, due_at = NULL, wait_ms = NULL, queued_at = ?, updated_at = ?
  WHERE seq = ? AND status = 'pending'`
