import { passKeyOn } from '../jobs/exclusive-key.ts'
import { EVENT_SQL, type EventRow, subjectOf } from '../jobs/live-job.ts'
import type { Writer } from '../writer.ts'
import { isOpen, type RunState, tellRun } from './run.ts'
import { startWaitingRun } from './start-run.ts'

/**
 * Stops items from starting: queued items are put back and waiting ones held; items with a due time are held once it passes. A published item is left
 * to finish its publication. Returns false if there is nothing to pause.
 */
export const pauseOpenRun = (writer: Writer, run: RunState): boolean => {
  if (!isOpen(run) || run.paused || run.endReason !== null) return false
  const { db } = writer
  db.run('UPDATE run SET paused = 1 WHERE seq = ?', run.seq)
  db.run(
    `UPDATE live SET status_reason = 'run_paused'
     WHERE run = ? AND status = 'pending' AND status_reason IN ('run_concurrency', 'exclusive_key')`,
    run.seq,
  )
  holdQueuedItems(writer, run)
  tellRun(writer, run.seq)
  return true
}

type QueuedRow = [seq: number, exclusiveKey: string | null, ...EventRow]

const holdQueuedItems = (writer: Writer, run: RunState): void => {
  const { db, now, effects } = writer
  const queued = db.all<QueuedRow>(
    `SELECT live.seq, live.exclusive_key, ${EVENT_SQL} FROM live JOIN job USING (seq) WHERE live.run = ?
       AND live.status = 'queued' AND live.published = 0`,
    run.seq,
  )
  db.run(
    "UPDATE live SET status = 'pending', status_reason = 'run_paused', updated_at = ? WHERE run = ? AND status = 'queued' AND published = 0",
    now,
    run.seq,
  )
  for (const [, , ...about] of queued) effects.event(subjectOf(about), 'pending', 'run_paused', now)
  for (const [, key] of queued) passKeyOn(writer, run.workspace, key)
}

/** Held items wait for slots again, and a run that has not started continues to wait for its start. The caller settles. */
export const resumePausedRun = (writer: Writer, run: RunState): boolean => {
  if (!isOpen(run) || !run.paused) return false
  const { db, effects } = writer
  db.run('UPDATE run SET paused = 0 WHERE seq = ?', run.seq)
  db.run(
    "UPDATE live SET status_reason = 'run_concurrency' WHERE run = ? AND status = 'pending' AND status_reason = 'run_paused'",
    run.seq,
  )
  tellRun(writer, run.seq)
  writer.runs.note(run.seq)
  if (run.phase === 'pending') {
    effects.hint('schedule')
    effects.hint('pending')
    startWaitingRun(writer, run.workflowId)
  }
  return true
}
