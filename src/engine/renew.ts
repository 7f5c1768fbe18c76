import type { Executor } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store, WorkerBeat } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'
import type { RunningJobs } from './running-jobs.ts'

/** A lease ends this long after its last renewal, by the store's clock. */
export const LEASE_MS = 15_000
/** Without a renewal for this long, counted from when it was sent, the worker gives its jobs up: before anyone else may take them. */
const GIVE_UP_MS = 12_000
const RENEW_EVERY_MS = 4_000

type Dependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly running: RunningJobs
  readonly executors: readonly Executor[]
  readonly beat: WorkerBeat
}

/**
 * Renews the leases of all running attempts and tells that this worker lives. The answer says which leases are lost and
 * which jobs are to stop. When renewing fails for too long, all attempts are ended: this process no longer knows
 * whether they are its own.
 */
export const createRenewLoop = ({ store, clock, logger, running, executors, beat }: Dependencies): Loop => {
  let renewedAt = clock.monotonic()

  const renew = async (): Promise<null> => {
    const leases = running.leases()
    const sentAt = clock.monotonic()
    try {
      if (leases.length > 0) {
        const { lost, cancelling } = await store.renewLeases({ leases, leaseMs: LEASE_MS })
        const gone = new Set(lost)
        const kept = leases.filter(lease => !gone.has(lease.jobId))
        for (const executor of executors) executor.leasesRenewed?.(kept, sentAt)
        running.loseLeases(lost)
        running.cancel(cancelling)
      }
      await store.beatWorker(beat)
      renewedAt = sentAt
    } catch (error) {
      if (clock.monotonic() - renewedAt > GIVE_UP_MS) running.loseLeases(leases.map(lease => lease.jobId))
      throw error
    }
    return null
  }

  return createLoop({ name: 'renew', intervalMs: RENEW_EVERY_MS, runOnce: renew, logger, clock })
}
