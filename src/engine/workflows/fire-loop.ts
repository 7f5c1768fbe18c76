import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import { isWrongKey } from '../../store/same-key.ts'
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

type Firing = Dependencies & {
  readonly fire: Fire
  /** Throws while this server cannot decrypt secrets (`guardSecrets`). */
  readonly checkKey: () => Promise<void>
}

/**
 * Fires workflows. Sleeps until the next slot, a `schedule` signal, or the poll that covers lost signals. With a wrong secret key slots wait as if no server
 * ran: those of workflows with secrets would be lost.
 */
export const createFireLoop = ({ fire, checkKey, ...dependencies }: Firing): Loop => {
  const runOnce = async (): Promise<number | null> => {
    try {
      await checkKey()
    } catch (error) {
      // The claim loop tells.
      if (isWrongKey(error)) return null
      throw error
    }
    return fire.pass()
  }
  return createLoop({ ...optionsOf(dependencies), name: 'fire', runOnce })
}

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
