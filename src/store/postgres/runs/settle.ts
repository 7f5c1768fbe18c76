import type { Work } from '../locks.ts'
import { endRuns } from './end-runs.ts'
import { type CountedRun, type FilledRow, fillSlots } from './fill-slots.ts'
import { passKeys } from './pass-keys.ts'
import { tellRuns } from './tell-runs.ts'

/**
 * The last step of every transaction that touched items of runs or freed exclusive keys: counts the items that have
 * ended, gives free slots and keys to those that wait, and ends runs of which nothing is left. The end of one run may
 * start or end others, which are settled in their turn. `filled` are runs whose items were counted and whose slots were
 * filled already.
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

/** The last of the items that still ran when a run was paused may have ended or been put back. */
const tellPaused = async (work: Work, runs: readonly CountedRun[]): Promise<void> => {
  const quieter = runs.filter(run => run.isOpen && run.paused && run.itemsLeft > 0)
  await tellRuns(
    work,
    quieter.map(run => run.id),
    ['paused'],
  )
}
