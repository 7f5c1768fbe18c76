import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import { lostAttemptEnd } from '../model/attempt-end.ts'
import { LEASE_MS } from '../model/lease.ts'
import type { LostAttempt, Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

/** Invariant 5: no job stays running longer than lease + sweep after its worker is gone. */
const SWEEP_EVERY_MS = 2_000
/** Recovering the log of one attempt takes 12 MiB of memory, or twice as much while the blob store is away. Too many at once, and a server that ran out of it would not come up again. */
const BATCH = 50

type Dependencies = { readonly store: Store; readonly logs: JobLogs; readonly clock: Clock; readonly logger: Logger }

/** Ends the attempts of workers that are gone. Their jobs are retried, failed or cancelled. */
export const createRescuer = ({ store, logs, clock, logger }: Dependencies) => {
  /** Rescues one batch. Returns how many attempts it ended. */
  const rescue = async (workerIds?: readonly string[]): Promise<number> => {
    const lost = await store.listLostAttempts({ leaseMs: LEASE_MS, limit: BATCH, ...(workerIds && { workerIds }) })
    if (lost.length === 0) return 0
    // One call each, so that the store does not get more at once than it can take: a log that could not be sealed has up to 24 MiB.
    const results = await Promise.all(lost.map(async attempt => store.endAttempts([await toEnd(attempt)])))
    for (const { lease } of lost)
      logger.warn({ job_id: lease.jobId, attempt: lease.attempt }, 'rescued a job of a lost worker')
    return results.flat().filter(result => result.applied).length
  }

  const toEnd = async (attempt: LostAttempt) => ({
    lease: attempt.lease,
    end: lostAttemptEnd(attempt),
    log: await recoverLog(attempt),
  })

  /** A log that cannot be recovered must not prevent its job's rescue. */
  const recoverLog = async (attempt: LostAttempt) => {
    try {
      return await logs.recover(attempt)
    } catch (error) {
      logger.error({ err: error, job_id: attempt.lease.jobId }, 'the log of a lost attempt could not be recovered')
      return []
    }
  }

  return {
    /** Rescues all jobs of these workers at once, ignoring their leases. */
    rescueWorkers: async (workerIds: readonly string[]): Promise<void> => {
      while ((await rescue(workerIds)) > 0);
    },
    loop: (): Loop =>
      createLoop({
        name: 'rescue',
        intervalMs: SWEEP_EVERY_MS,
        runOnce: async () => ((await rescue()) > 0 ? 0 : null),
        logger,
        clock,
      }),
  }
}
