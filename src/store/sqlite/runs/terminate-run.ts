import type { RunReason } from '../../../model/workflow.ts'
import { sumLateEnds } from '../analytics/sums.ts'
import type { SqlValue } from '../database.ts'
import { passKeyOn } from '../jobs/exclusive-key.ts'
import { EVENT_SQL, type EventRow, subjectOf } from '../jobs/live-job.ts'
import { addWaiting } from '../jobs/waiting.ts'
import type { Writer } from '../writer.ts'
import { hasItems, isOpen, listOpenRuns, type RunState, tellRun } from './run.ts'

type Termination = {
  readonly reason: Extract<RunReason, 'terminated_by_user' | 'workflow_terminated' | 'replaced'>
  /** null: each item's own grace period. */
  readonly graceMs: number | null
}

/**
 * Cancels waiting items and asks running ones to stop; items queued to finish their publication are left to do so. The run ends with its last item.
 * Returns false if it has ended or is already being terminated. The caller settles.
 */
export const beginTermination = (writer: Writer, run: RunState, { reason, graceMs }: Termination): boolean => {
  if (!isOpen(run) || run.endReason !== null) return false
  writer.db.run(
    `UPDATE run SET end_reason = ?, status_reason = 'terminating', paused = 0, due_at = NULL WHERE seq = ?`,
    reason,
    run.seq,
  )
  cancelWaitingItems(writer, run)
  stopRunningItems(writer, run, graceMs)
  // A run with nothing left is reported only once, as ended.
  if (hasItems(writer.db, run.seq)) tellRun(writer, run.seq)
  writer.runs.note(run.seq)
  return true
}

/** Includes pending runs scheduled for later. */
export const terminateOpenRuns = (writer: Writer, workflowId: string, termination: Termination): void => {
  for (const run of listOpenRuns(writer.db, workflowId)) beginTermination(writer, run, termination)
}

type ItemRow = [seq: number, status: string, exclusiveKey: string | null, ...EventRow]

const itemsOf = ({ db }: Writer, run: RunState, statuses: readonly SqlValue[]): ItemRow[] =>
  db.all<ItemRow>(
    `SELECT live.seq, live.status, live.exclusive_key, ${EVENT_SQL}
     FROM live INDEXED BY live_run CROSS JOIN job ON job.seq = live.seq
     WHERE live.run = ? AND live.run IS NOT NULL AND live.status IN (?, ?)
       AND (live.published = 0 OR live.status = 'running') ORDER BY live.seq`,
    run.seq,
    statuses[0]!,
    statuses[1] ?? statuses[0]!,
  )

const CANCEL_SQL = `INSERT INTO ended (seq, workspace, status, status_reason, log, queued_at, started_at, finished_at, attempt,
    user_failures, system_failures, worker_id, exit_code, signal, progress)
  SELECT live.seq, live.workspace, 'cancelled', 'run_terminated', iif(live.next_log_seq > 1, 'kept', 'none'), live.queued_at,
    live.started_at, ?, live.attempt, live.user_failures, live.system_failures, live.worker_id, live.exit_code, live.signal,
    live.progress
  FROM json_each(?) AS done CROSS JOIN live ON live.seq = done.value`

/** Cancels all with a few statements: there may be ten thousand. Cancelled jobs have no deliveries. */
const cancelWaitingItems = (writer: Writer, run: RunState): void => {
  const { db, now, effects } = writer
  const items = itemsOf(writer, run, ['pending', 'queued'])
  if (items.length === 0) return
  const seqs = JSON.stringify(items.map(([seq]) => seq))
  db.run(CANCEL_SQL, now, seqs)
  db.run('DELETE FROM live WHERE seq IN (SELECT value FROM json_each(?))', seqs)
  for (const [, , , ...about] of items) effects.event(subjectOf(about), 'cancelled', 'run_terminated', now)
  addWaiting(db, run.workspace, -items.length)
  writer.runs.note(run.seq, 'cancelled', items.length)
  sumLateEnds(
    writer,
    items.map(([seq]) => seq),
  )
  for (const [, status, key] of items) if (status === 'queued') passKeyOn(writer, run.workspace, key)
}

const stopRunningItems = (writer: Writer, run: RunState, graceMs: number | null): void => {
  const { db, now, effects } = writer
  const items = itemsOf(writer, run, ['running'])
  if (items.length === 0) return
  db.run(
    `UPDATE live SET status = 'cancelling', status_reason = 'run_terminated', grace_ms = ?, updated_at = ?
     WHERE seq IN (SELECT value FROM json_each(?)) AND status = 'running'`,
    graceMs,
    now,
    JSON.stringify(items.map(([seq]) => seq)),
  )
  for (const [, , , ...about] of items) effects.event(subjectOf(about), 'cancelling', 'run_terminated', now)
  effects.hint('cancel')
}
