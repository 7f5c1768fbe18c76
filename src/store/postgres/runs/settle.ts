import type { WorkspaceKey } from '../exclusive-keys.ts'
import type { Work } from '../locks.ts'
import { endRuns } from './end-runs.ts'
import { type CountedRun, fillSlots } from './fill-slots.ts'
import { passKeys } from './pass-keys.ts'
import type { RunChanges } from './run-changes.ts'
import { tellRuns } from './tell-runs.ts'

/**
 * The last step of every transaction that touched items of runs or freed exclusive keys: counts the items that have
 * ended, gives free slots and keys to those that wait, and ends runs of which nothing is left. The end of one run may
 * start or end others, which are settled in their turn.
 */
export const settle = async (
  work: Work,
  { changes, keys }: { changes: RunChanges; keys: readonly WorkspaceKey[] },
): Promise<void> => {
  const runs = changes.isEmpty ? [] : await fillSlots(work, changes)
  await passKeys(work, keys)
  await tellPaused(work, runs)
  const done = runs.filter(run => run.isOpen && run.itemsLeft <= 0)
  if (done.length > 0) await endRuns(work, done)
}

/** The last of the items that still ran when a run was paused may have ended. */
const tellPaused = async (work: Work, runs: readonly CountedRun[]): Promise<void> => {
  const quieter = runs.filter(run => run.isOpen && run.paused && run.itemsEnded > 0 && run.itemsLeft > 0)
  await tellRuns(
    work,
    quieter.map(run => run.id),
    ['paused'],
  )
}
