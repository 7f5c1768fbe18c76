import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store } from '../store/store.ts'
import { createLoop, type Loop } from './loop.ts'

const EVERY_MS = 30_000
const BATCH = 5_000

/** Adds ended jobs to the analytics sums, off the hot path. Until then, reads aggregate the jobs themselves. */
export const createSummarizeLoop = ({
  store,
  clock,
  logger,
}: {
  store: Pick<Store, 'summarize'>
  clock: Clock
  logger: Logger
}): Loop => {
  const runOnce = async (): Promise<number | null> => ((await store.summarize({ limit: BATCH })) >= BATCH ? 0 : null)
  return createLoop({ name: 'summarize', intervalMs: EVERY_MS, runOnce, logger, clock })
}
