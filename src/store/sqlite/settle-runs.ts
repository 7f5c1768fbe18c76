import { endRun } from './end-run.ts'
import { fillSlots } from './fill-slots.ts'
import { isOpen, readRun, statusOf, tellRun } from './run.ts'
import type { RunChange } from './run-changes.ts'
import type { Writer } from './writer.ts'

/**
 * The last step of every call that touched items of runs: for each run, once, whatever the batch did to it, counts those
 * that have ended, gives free slots to waiting items, and ends the run when nothing of it is left. The end of one run may
 * start or end others, which are settled in their turn.
 */
export const settleRuns = (writer: Writer): void => {
  while (!writer.runs.isEmpty) for (const [run, change] of writer.runs.take()) settleRun(writer, run, change)
}

const settleRun = (writer: Writer, runSeq: number, change: RunChange): void => {
  const { completed, failed, cancelled } = change
  const ended = completed + failed + cancelled
  if (ended > 0)
    writer.db.run(
      'UPDATE run SET completed = completed + ?, failed = failed + ?, cancelled = cancelled + ? WHERE seq = ?',
      completed,
      failed,
      cancelled,
      runSeq,
    )
  const run = readRun(writer.db, runSeq)!
  if (!isOpen(run)) return
  if (fillSlots(writer, run) > 0) return
  if (!hasItems(writer, runSeq)) endRun(writer, run)
  // The last of the items that still ran when it was paused.
  else if (run.paused && ended > 0 && statusOf(writer.db, run) === 'paused') tellRun(writer, runSeq)
}

const hasItems = ({ db }: Writer, runSeq: number): boolean =>
  db.get('SELECT 1 FROM live WHERE run = ? LIMIT 1', runSeq) !== undefined
