import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { EndAttempt, EndResult, Store } from '../store/store.ts'

/** Ends attempts in the store, many per call. */
export interface Completer {
  /** Resolves when the end is stored, or refused because the lease is lost (`applied: false`). Never rejects. */
  end(end: EndAttempt): Promise<EndResult>
  /** Number of ends not stored yet. */
  readonly size: number
  /** Resolves when nothing is in flight. */
  flush(): Promise<void>
}

type Waiting = { readonly end: EndAttempt; readonly resolve: (result: EndResult) => void; readonly giveUpAt: number }

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2000

/**
 * Ends that arrive during a call share the next one. A failing call is retried until the lease has certainly expired: a short database outage must not
 * cause completed work to be done twice.
 */
export const createCompleter = ({
  store,
  clock,
  logger,
  leaseMs,
}: {
  store: Store
  clock: Clock
  logger: Logger
  leaseMs: number
}): Completer => {
  let waiting: Waiting[] = []
  let size = 0
  let working: Promise<void> | null = null

  const work = async (): Promise<void> => {
    await null // ends of the same tick share the call
    let pause = FIRST_PAUSE_MS
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      if (await send(batch)) pause = FIRST_PAUSE_MS
      else {
        await new Promise(resolve => setTimeout(resolve, pause))
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS)
      }
    }
    working = null
  }

  const send = async (batch: readonly Waiting[]): Promise<boolean> => {
    try {
      const results = await store.endAttempts(batch.map(({ end }) => end))
      size -= batch.length
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]!)
      return true
    } catch (error) {
      logger.error({ err: error, jobs: batch.length }, 'ending attempts failed; trying again while the leases hold')
      keepOrGiveUp(batch)
      return false
    }
  }

  const keepOrGiveUp = (batch: readonly Waiting[]): void => {
    const now = clock.monotonic()
    const kept = batch.filter(entry => now < entry.giveUpAt)
    size -= batch.length - kept.length
    for (const entry of batch) {
      if (now >= entry.giveUpAt) entry.resolve({ jobId: entry.end.lease.jobId, applied: false, status: null })
    }
    waiting = [...kept, ...waiting]
  }

  return {
    get size() {
      return size
    },
    end: end =>
      new Promise(resolve => {
        size += 1
        // Renewals continue meanwhile, so the lease may outlast one term. The store decides.
        waiting.push({ end, resolve, giveUpAt: clock.monotonic() + 4 * leaseMs })
        working ??= work()
      }),
    flush: async () => {
      while (working) await working
    },
  }
}
