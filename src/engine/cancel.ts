import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'
import type { RunningJobs } from './running-jobs.ts'

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly running: RunningJobs
  readonly workerId: string
  readonly pollMs: number
}

/** Passes stop orders from the store to this worker's attempts: on a signal, and by polling in case a signal was lost. */
export const createCancelLoop = ({ store, clock, logger, running, workerId, pollMs }: Dependencies): Loop => {
  const runOnce = async (): Promise<null> => {
    if (running.size > 0) running.cancel(await store.listCancelling({ workerId }))
    return null
  }
  return createLoop({ name: 'cancel', intervalMs: pollMs, runOnce, logger, clock })
}
