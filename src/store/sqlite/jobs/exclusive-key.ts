import type { Database } from '../database.ts'
import { countSlots, readRun } from '../runs/run.ts'
import type { Writer } from '../writer.ts'
import { EVENT_SQL, type EventRow, subjectOf } from './live-job.ts'

/** Whether a job with this key is queued, running or cancelling. */
export const isKeyHeld = (db: Database, workspace: string, key: string): boolean =>
  db.get(
    `SELECT 1 FROM live WHERE workspace = ? AND exclusive_key = ?
       AND exclusive_key IS NOT NULL AND status <> 'pending'`,
    workspace,
    key,
  ) !== undefined

type Waiter = [seq: number, run: number | null, ...EventRow]

/**
 * Call when the holder is gone: queues the next job waiting for the key, highest priority first. An item whose run is paused or has no free slot
 * waits for that instead, and the next job is tried.
 */
export const passKeyOn = (writer: Writer, workspace: string, key: string | null): void => {
  if (key === null) return
  for (let next = nextWaiter(writer.db, workspace, key); next; next = nextWaiter(writer.db, workspace, key)) {
    const [seq, run, ...about] = next
    const obstacle = run === null ? null : obstacleOf(writer.db, run)
    if (obstacle === null) {
      queue(writer, seq, about)
      return
    }
    writer.db.run('UPDATE live SET status_reason = ? WHERE seq = ?', obstacle, seq)
  }
}

const nextWaiter = (db: Database, workspace: string, key: string): Waiter | undefined =>
  db.get<Waiter>(
    `SELECT live.seq, live.run, ${EVENT_SQL} FROM live JOIN job USING (seq)
     WHERE live.workspace = ? AND live.exclusive_key = ? AND live.exclusive_key IS NOT NULL AND live.status_reason = 'exclusive_key'
     ORDER BY live.priority DESC, live.seq LIMIT 1`,
    workspace,
    key,
  )

const obstacleOf = (db: Database, runSeq: number): 'run_paused' | 'run_concurrency' | null => {
  const run = readRun(db, runSeq)!
  if (run.paused) return 'run_paused'
  return countSlots(db, runSeq) < run.maxConcurrent ? null : 'run_concurrency'
}

const queue = ({ db, now, effects }: Writer, seq: number, about: EventRow): void => {
  db.run(
    `UPDATE live SET status = 'queued', status_reason = NULL, queued_at = ?, updated_at = ? WHERE seq = ? AND status = 'pending'`,
    now,
    now,
    seq,
  )
  effects.hint('queued')
  effects.event(subjectOf(about), 'queued', null, now)
}
