import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

const BATCH = 1000
/** A system clock set forward is noticed after this long at the latest. */
const LONGEST_SLEEP_MS = 5_000

/** Moves due jobs from `pending` to `queued`. Sleeps until the next is due, a signal arrives, or `pollMs` has passed. */
export const createPromoteLoop = ({
  store,
  clock,
  logger,
  pollMs,
}: {
  store: Store
  clock: Clock
  logger: Logger
  pollMs: number
}): Loop => {
  const runOnce = async (): Promise<number | null> => {
    const { promoted, nextDueAt } = await store.promoteDueJobs({ limit: BATCH })
    if (promoted === BATCH) return 0
    return nextDueAt === null ? null : Math.max(0, nextDueAt - (await store.now()))
  }
  return createLoop({ name: 'promote', intervalMs: Math.min(pollMs, LONGEST_SLEEP_MS), runOnce, logger, clock })
}
