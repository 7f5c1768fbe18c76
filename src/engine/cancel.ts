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

/** Carries orders to stop from the store to the attempts of this worker: at a signal, and by a poll behind lost ones. */
export const createCancelLoop = ({ store, clock, logger, running, workerId, pollMs }: Dependencies): Loop => {
  const runOnce = async (): Promise<null> => {
    if (running.size > 0) running.cancel(await store.listCancelling({ workerId }))
    return null
  }
  return createLoop({ name: 'cancel', intervalMs: pollMs, runOnce, logger, clock })
}
