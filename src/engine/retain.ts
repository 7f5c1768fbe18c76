import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

const EVERY_MS = 60_000
/** Small batches, each in its own transaction: retention must not hold up jobs. */
const BATCH = 500
const LONGEST_UNREMEMBERED_MS = 12 * 3_600_000
const WORKERS_KEPT_MS = 24 * 3_600_000

type Dependencies = {
  readonly store: Store
  readonly logs: JobLogs
  readonly clock: Clock
  readonly logger: Logger
  /** Called before jobs are purged, to copy elsewhere what should be remembered of them. Never rejects. */
  readonly rememberJobs: () => Promise<void>
  readonly config: Pick<Config, 'retentionJobsMs' | 'retentionLogsMs' | 'retentionDeliveriesMs' | 'retentionJobsLogMs'>
}

/** Invariant 12: deletes what is older than its retention: only ended jobs whose end has been delivered, never live ones. */
export const createRetainLoop = (dependencies: Dependencies): Loop => {
  const { store, logs, clock, logger, config, rememberJobs } = dependencies

  let rememberedAt: number | null = null
  /** Well before jobs that ended since the last time may be purged. Infrequent, because each time wakes a data engine. */
  const isTimeToRemember = (): boolean => {
    const now = clock.monotonic()
    const everyMs = Math.min(LONGEST_UNREMEMBERED_MS, config.retentionJobsMs / 2)
    if (!Number.isFinite(config.retentionJobsMs) || (rememberedAt !== null && now - rememberedAt < everyMs))
      return false
    rememberedAt = now
    return true
  }

  const purgeEndedJobs = async (signal: AbortSignal, endedBefore: number): Promise<void> => {
    let cursor: string | null = null
    do cursor = (await store.purgeEndedJobs({ endedBefore, limit: BATCH, cursor })).cursor
    while (cursor !== null && !signal.aborted)
  }

  const runOnce = async (signal: AbortSignal): Promise<null> => {
    const now = await store.now()
    /** Purges in batches what is older than the retention. Infinity keeps everything. */
    const purge = async (retentionMs: number, batch: (before: number) => Promise<number>): Promise<void> => {
      if (Number.isFinite(retentionMs)) await drain(signal, () => batch(now - retentionMs))
    }
    const limit = BATCH
    await purge(config.retentionDeliveriesMs, createdBefore => store.purgeDeliveries({ createdBefore, limit }))
    if (isTimeToRemember()) await rememberJobs()
    if (Number.isFinite(config.retentionJobsMs)) await purgeEndedJobs(signal, now - config.retentionJobsMs)
    await purge(config.retentionJobsMs, endedBefore => store.purgeRuns({ endedBefore, limit }))
    await purge(config.retentionJobsMs, createdBefore => store.purgeNotifications({ createdBefore, limit }))
    await purge(config.retentionLogsMs, endedBefore => store.purgeLogs({ endedBefore, limit }))
    await purge(config.retentionJobsLogMs, hourBefore => store.purgeSums({ hourBefore, limit }))
    await purge(WORKERS_KEPT_MS, seenBefore => store.purgeWorkers({ seenBefore, limit }))
    await drain(signal, () => store.purgeResults({ limit }))
    await drain(signal, () => store.purgeIdempotency({ limit }))
    await drain(signal, () => store.purgePublications({ limit }))
    await logs.sweepSpool()
    return null
  }

  return createLoop({ name: 'retain', intervalMs: EVERY_MS, runOnce, logger, clock })
}

const drain = async (signal: AbortSignal, purge: () => Promise<number>): Promise<void> => {
  while (!signal.aborted && (await purge()) >= BATCH);
}
