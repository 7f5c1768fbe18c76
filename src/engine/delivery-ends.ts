import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { DeliveryEnd } from '../store/sink-store.ts'
import type { Store } from '../store/store.ts'

type Options = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** How long a claim holds: an end is of no use after it. */
  readonly claimMs: number
}

const PAUSE_AFTER_FAULT_MS = 500

/** Ends deliveries in the store, many in one call. A store that fails is tried again while the claims hold. */
export const createDeliveryEnds = ({ store, clock, logger, claimMs }: Options) => {
  let waiting: { readonly end: DeliveryEnd; readonly since: number }[] = []
  let working: Promise<void> | null = null
  let isLast = false

  const work = async (): Promise<void> => {
    await null // what ends in the same tick shares the call
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await store.endDeliveries(batch.map(({ end }) => end))
      } catch (error) {
        logger.error({ err: error, deliveries: batch.length }, 'ending deliveries failed')
        if (isLast) break // they are sent again after their leases
        waiting = [...batch.filter(({ since }) => clock.monotonic() - since < claimMs), ...waiting]
        await sleep(PAUSE_AFTER_FAULT_MS)
      }
    }
    working = null
  }

  return {
    add: (end: DeliveryEnd): void => {
      waiting.push({ end, since: clock.monotonic() })
      working ??= work()
    },
    /** Resolves when nothing is under way; gives up at the next fault. */
    finish: async (): Promise<void> => {
      isLast = true
      await working
    },
  }
}
