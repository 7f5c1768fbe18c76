import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Store } from '../../store/store.ts'
import { createLoop, type Loop } from '../loop.ts'
import type { Fire } from './fire.ts'

/** A system clock set forward, or a machine waking from sleep, is noticed after this long at the latest. */
const LONGEST_SLEEP_MS = 5_000
/** Slots wait no longer than this once the database is back. */
const LONGEST_BACKOFF_MS = 2_000
const BATCH = 100

type Dependencies = { readonly store: Store; readonly clock: Clock; readonly logger: Logger; readonly pollMs: number }

const optionsOf = ({ clock, logger, pollMs }: Dependencies) => ({
  clock,
  logger,
  intervalMs: Math.min(pollMs, LONGEST_SLEEP_MS),
  longestBackoffMs: LONGEST_BACKOFF_MS,
})

/** Fires workflows. Sleeps until the next slot, a `schedule` signal, or the poll that covers lost signals. */
export const createFireLoop = (dependencies: Dependencies & { readonly fire: Fire }): Loop =>
  createLoop({ ...optionsOf(dependencies), name: 'fire', runOnce: dependencies.fire.pass })

/** Starts runs triggered for a later time. */
export const createStartLoop = (dependencies: Dependencies): Loop => {
  const { store } = dependencies
  const runOnce = async (): Promise<number | null> => {
    const { started, nextDueAt } = await store.startDueRuns({ limit: BATCH })
    if (started === BATCH) return 0
    return nextDueAt === null ? null : Math.max(0, nextDueAt - (await store.now()))
  }
  return createLoop({ ...optionsOf(dependencies), name: 'start runs', runOnce })
}
