import type { Writer } from '../writer.ts'
import { listOpenRuns, type RunState, tellRun } from './run.ts'

/** From `pending` to `running`: its items now wait for slots. The caller settles. */
export const startRun = (writer: Writer, run: RunState): void => {
  const { db, now } = writer
  db.run(
    "UPDATE run SET phase = 'running', status_reason = NULL, due_at = NULL, started_at = ? WHERE seq = ? AND phase = 'pending'",
    now,
    run.seq,
  )
  db.run(
    "UPDATE live SET status_reason = 'run_concurrency' WHERE run = ? AND status = 'pending' AND status_reason = 'run_pending'",
    run.seq,
  )
  db.run('UPDATE workflow SET last_run_at = ? WHERE id = ?', now, run.workflowId)
  tellRun(writer, run.seq)
  writer.runs.note(run.seq)
}

/** Starts the run that waits for others of its workflow, if no earlier one is still running. */
export const startWaitingRun = (writer: Writer, workflowId: string): void => {
  const open = listOpenRuns(writer.db, workflowId)
  const waiting = open.find(run => run.phase === 'pending' && run.reason === 'waiting_for_run' && !run.paused)
  if (!waiting || open.some(run => run.phase === 'running' && run.seq < waiting.seq)) return
  const [state] = writer.db.get<[string]>('SELECT state FROM workflow WHERE id = ?', workflowId)!
  if (state === 'active') startRun(writer, waiting)
}
