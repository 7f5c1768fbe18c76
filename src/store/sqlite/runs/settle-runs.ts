import type { Writer } from '../writer.ts'
import { endRun } from './end-run.ts'
import { fillSlots } from './fill-slots.ts'
import { countEnded, hasItems, isOpen, readRun, statusOf, tellRun } from './run.ts'
import type { RunChange } from './run-changes.ts'

/**
 * The last step of every call that touched items of runs. Once per run, whatever the batch did to it: counts ended items, gives free slots to waiting
 * items, and ends the run if nothing is left. The end of one run may start or end others, which are settled in turn.
 */
export const settleRuns = (writer: Writer): void => {
  for (let changes = writer.runs.take(); changes; changes = writer.runs.take())
    for (const [run, change] of changes) settleRun(writer, run, change)
}

const settleRun = (writer: Writer, runSeq: number, change: RunChange): void => {
  const ended = change.completed + change.failed + change.cancelled
  const run = (ended > 0 ? countEnded(writer.db, runSeq, change) : readRun(writer.db, runSeq))!
  if (!isOpen(run)) return
  if (fillSlots(writer, run) > 0) return
  if (!hasItems(writer.db, runSeq)) endRun(writer, run)
  // The last item still running when the run was paused has ended.
  else if (run.paused && ended > 0 && statusOf(writer.db, run) === 'paused') tellRun(writer, runSeq)
}
