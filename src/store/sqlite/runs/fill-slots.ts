import type { Database } from '../database.ts'
import { isKeyHeld } from '../jobs/exclusive-key.ts'
import { EVENT_SQL, type EventRow, subjectOf } from '../jobs/live-job.ts'
import type { Writer } from '../writer.ts'
import { countSlots, type RunState } from './run.ts'

type Waiting = [seq: number, workspace: string, exclusiveKey: string | null, ...EventRow]

/**
 * Queues as many of the run's waiting items as it has free slots, highest priority first, then in order of submission. An item whose key is held
 * waits for the key, without a slot. Returns how many were queued.
 */
export const fillSlots = (writer: Writer, run: RunState): number => {
  if (run.phase !== 'running' || run.paused || run.endReason !== null) return 0
  const free = run.maxConcurrent - countSlots(writer.db, run.seq)
  let filled = 0
  while (filled < free) {
    const waiting = nextWaiting(writer.db, run.seq, free - filled)
    if (waiting.length === 0) break
    filled += queueItems(writer, waiting)
  }
  return filled
}

const nextWaiting = (db: Database, runSeq: number, limit: number): Waiting[] =>
  db.all<Waiting>(
    `SELECT live.seq, live.workspace, live.exclusive_key, ${EVENT_SQL}
     FROM live INDEXED BY live_run_next CROSS JOIN job ON job.seq = live.seq
     WHERE live.run = ? AND live.run IS NOT NULL AND live.status_reason = 'run_concurrency'
     ORDER BY live.priority DESC, live.seq LIMIT ?`,
    runSeq,
    limit,
  )

const QUEUE_SQL = `UPDATE live SET status = 'queued', status_reason = NULL, queued_at = ?, updated_at = ?
  WHERE seq IN (SELECT value FROM json_each(?)) AND status = 'pending'`

/** Items with keys are handled one by one: two of them may share a key. */
const queueItems = (writer: Writer, waiting: readonly Waiting[]): number => {
  const { db, now, effects } = writer
  const free = waiting.filter(([, , key]) => key === null)
  if (free.length > 0) db.run(QUEUE_SQL, now, now, JSON.stringify(free.map(([seq]) => seq)))
  let queued = 0
  for (const [seq, workspace, key, ...about] of waiting) {
    if (key !== null && !takeKey(writer, seq, workspace, key)) continue
    effects.event(subjectOf(about), 'queued', null, now)
    queued++
  }
  if (queued > 0) effects.hint('queued')
  return queued
}

const takeKey = ({ db, now }: Writer, seq: number, workspace: string, key: string): boolean => {
  if (isKeyHeld(db, workspace, key)) {
    db.run("UPDATE live SET status_reason = 'exclusive_key' WHERE seq = ?", seq)
    return false
  }
  db.run(QUEUE_SQL, now, now, JSON.stringify([seq]))
  return true
}
