import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import type { CopySchedules } from './copy-schedules.ts'
import { createLoop, type Loop } from './loop.ts'

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly copySchedules: CopySchedules
}

/** A copy node's workflow that was deleted by hand is recreated after this long at the latest. */
const INTERVAL_MS = 60_000
/** Used while a workflow to be deleted waits for its run to end. */
const WAITING_MS = 5_000

/** Keeps workflows in sync with the schedules of copy nodes, in every workspace that has pipes. Runs first when the server starts. */
export const createCopyScheduleLoop = ({ store, clock, logger, copySchedules }: Dependencies): Loop => {
  const runOnce = async (signal: AbortSignal): Promise<number | null> => {
    let isWaiting = false
    const faults: Error[] = []
    for (const { id: workspace } of await store.listWorkspaces()) {
      if (signal.aborted) return null
      try {
        // A workspace that never had a data source or a pipe has nothing to read.
        const isEmpty = (await store.readCatalogue({ workspace, knownVersion: 0 })) === null
        if (!isEmpty && (await copySchedules.sync(workspace)) === 'waiting') isWaiting = true
      } catch (cause) {
        // The other workspaces come first.
        faults.push(new Error(`The copy schedules of workspace ${workspace} cannot be followed.`, { cause }))
      }
    }
    if (faults.length > 0) throw faults[0]
    return isWaiting ? WAITING_MS : null
  }
  return createLoop({ name: 'copy schedules', intervalMs: INTERVAL_MS, clock, logger, runOnce })
}
