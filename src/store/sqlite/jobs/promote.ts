import { readRun } from '../runs/run.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import type { Writer } from '../writer.ts'
import { isKeyHeld } from './exclusive-key.ts'
import { EVENT_SQL, type EventRow, subjectOf } from './live-job.ts'

type DueRow = [seq: number, exclusiveKey: string | null, run: number | null, ...EventRow]

const DUE_SQL = `SELECT live.seq, live.exclusive_key, live.run, ${EVENT_SQL} FROM live JOIN job USING (seq)
  WHERE live.due_at IS NOT NULL AND live.due_at <= ? ORDER BY live.due_at, live.seq LIMIT ?`

export const promoteDueJobs = (writer: Writer, { limit }: { limit: number }) => {
  const { db, now } = writer
  let promoted = 0
  for (const [seq, exclusiveKey, run, ...about] of db.all<DueRow>(DUE_SQL, now, limit)) {
    if (run !== null) {
      askForSlot(writer, seq, run)
      continue
    }
    const subject = subjectOf(about)
    if (exclusiveKey !== null && isKeyHeld(db, subject.workspace, exclusiveKey)) {
      waitFurther(writer, seq, 'exclusive_key')
      continue
    }
    db.run(PROMOTE_SQL, now, now, seq)
    writer.effects.event(subject, 'queued', null, now)
    promoted++
  }
  if (promoted > 0) writer.effects.hint('queued')
  settleRuns(writer)
  const [nextDueAt] = db.get<[number | null]>('SELECT min(due_at) FROM live WHERE due_at IS NOT NULL')!
  return { promoted, nextDueAt }
}

const PROMOTE_SQL = `UPDATE live SET status = 'queued', status_reason = NULL, due_at = NULL, wait_ms = NULL, queued_at = ?, updated_at = ?
  WHERE seq = ? AND status = 'pending'`

/** A due item waits for a slot of its run, or is held if the run is paused. */
const askForSlot = (writer: Writer, seq: number, run: number): void => {
  waitFurther(writer, seq, readRun(writer.db, run)!.paused ? 'run_paused' : 'run_concurrency')
  writer.runs.note(run)
}

const waitFurther = ({ db }: Writer, seq: number, reason: 'exclusive_key' | 'run_paused' | 'run_concurrency'): void => {
  db.run('UPDATE live SET status_reason = ?, due_at = NULL, wait_ms = NULL WHERE seq = ?', reason, seq)
}
