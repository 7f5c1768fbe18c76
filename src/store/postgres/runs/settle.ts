import type { Work } from '../locks.ts'
import { endRuns } from './end-runs.ts'
import { type CountedRun, type FilledRow, fillSlots } from './fill-slots.ts'
import { passKeys } from './pass-keys.ts'
import { tellRuns } from './tell-runs.ts'

/**
 * The last step of every transaction that touched items of runs or freed exclusive keys. Counts ended items, gives free slots and keys to waiting
 * items, and ends runs with nothing left. The end of one run may start or end others, which are settled in turn. `filled` are rows of runs whose
 * items are already counted and whose slots are already filled.
 */
export const settle = async (work: Work, filled: readonly FilledRow[] = []): Promise<void> => {
  await settleOnce(work, filled)
  while (!work.touched.isEmpty) await settleOnce(work, [])
}

const settleOnce = async (work: Work, filled: readonly FilledRow[]): Promise<void> => {
  const { runs, keys } = work.touched.take()
  const counted = await fillSlots(work, runs, filled)
  await passKeys(work, keys)
  await tellPaused(work, counted)
  const done = counted.filter(run => run.isOpen && run.itemsLeft <= 0)
  if (done.length > 0) await endRuns(work, done)
}

/** The last items still running when a run was paused may have ended or been put back. */
const tellPaused = async (work: Work, runs: readonly CountedRun[]): Promise<void> => {
  const quieter = runs.filter(run => run.isOpen && run.paused && run.itemsLeft > 0)
  await tellRuns(
    work,
    quieter.map(run => run.id),
    ['paused'],
  )
}
