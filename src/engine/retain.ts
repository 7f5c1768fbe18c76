import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

const EVERY_MS = 60_000
/** Small batches, each its own transaction: retention must not hold up the work. */
const BATCH = 500
const WORKERS_KEPT_MS = 24 * 3_600_000

type Dependencies = {
  readonly store: Store
  readonly logs: JobLogs
  readonly clock: Clock
  readonly logger: Logger
  readonly retentionJobsMs: number
  readonly retentionLogsMs: number
}

/** Invariant 12: forgets what is older than its retention. Only ended jobs, never live ones. */
export const createRetainLoop = (dependencies: Dependencies): Loop => {
  const { store, logs, clock, logger, retentionJobsMs, retentionLogsMs } = dependencies

  const runOnce = async (signal: AbortSignal): Promise<null> => {
    const now = await store.now()
    if (Number.isFinite(retentionJobsMs))
      await drain(signal, () => store.purgeEndedJobs({ endedBefore: now - retentionJobsMs, limit: BATCH }))
    if (Number.isFinite(retentionLogsMs))
      await drain(signal, () => store.purgeLogs({ endedBefore: now - retentionLogsMs, limit: BATCH }))
    await drain(signal, () => store.purgeIdempotency({ limit: BATCH }))
    await drain(signal, () => store.purgeWorkers({ seenBefore: now - WORKERS_KEPT_MS, limit: BATCH }))
    await logs.sweepSpool()
    return null
  }

  return createLoop({ name: 'retain', intervalMs: EVERY_MS, runOnce, logger, clock })
}

const drain = async (signal: AbortSignal, purge: () => Promise<number>): Promise<void> => {
  while (!signal.aborted && (await purge()) >= BATCH);
}
