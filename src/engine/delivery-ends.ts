import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { DeliveryEnd } from '../store/sink-store.ts'
import type { Store } from '../store/store.ts'

type Options = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** How long a claim holds. An end is useless after that. */
  readonly claimMs: number
}

const PAUSE_AFTER_FAULT_MS = 500

/** Ends deliveries in the store, many per call. A failing call is retried while the claims hold. */
export const createDeliveryEnds = ({ store, clock, logger, claimMs }: Options) => {
  let waiting: { readonly end: DeliveryEnd; readonly since: number }[] = []
  let working: Promise<void> | null = null
  let isLast = false

  const work = async (): Promise<void> => {
    await null // ends of the same tick share the call
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await store.endDeliveries(batch.map(({ end }) => end))
      } catch (error) {
        logger.error({ err: error, deliveries: batch.length }, 'ending deliveries failed')
        if (isLast) break // they are sent again once their leases expire
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
    /** Resolves when nothing is in flight. Gives up at the next failure. */
    finish: async (): Promise<void> => {
      isLast = true
      await working
    },
  }
}
