import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { AddressRules } from '../kernel/address-rules.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import { deliveryRetry } from '../model/delivery-retry.ts'
import { createReceivers } from '../sinks/receivers.ts'
import { CONNECTIONS_PER_HOST, createSinks, hostOf, type SinkOutcome } from '../sinks/sinks.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { ClaimedDelivery, DeliveryEnd } from '../store/sink-store.ts'
import type { Store } from '../store/store.ts'
import { makeParcel, openSink } from './delivery-parcel.ts'
import { createLoop, type Loop } from './loop.ts'

export type DeliverOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  /** Which addresses sinks may lead to. */
  readonly addressRules: AddressRules
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly logger: Logger
  /** For the addresses in what is delivered. */
  readonly publicUrl: string
  /** Behind lost hints. */
  readonly pollMs: number
}

const CLAIMED_AT_ONCE = 64
const MOST_UNDER_WAY = 512
/** Longer than a try with its wait for other deliveries of the receiver. */
const LEASE_MS = 60_000
const PATIENCE_MS = 1_000
/** What is under way at the stop may end; the rest is put back and sent again, with the same id. */
const STOP_PATIENCE_MS = 3_000
const PAUSE_AFTER_FAULT_MS = 500

/**
 * Sends what the outbox holds. A delivery is claimed with a lease, tried once and ended in the store, together with
 * others that end meanwhile. None is lost: whatever becomes of this process, the lease ends and the next claim has it.
 */
export const createDeliverLoop = (options: DeliverOptions): Loop => {
  const { store, clock, logger } = options
  const sinks = createSinks({ rules: options.addressRules })
  const receivers = createReceivers({ atOnce: CONNECTIONS_PER_HOST, patienceMs: PATIENCE_MS, clock })
  const underWay = new Set<Promise<void>>()
  const stopping = new AbortController()
  const ends = createEnds(options)
  let isFull = false

  const runOnce = async (): Promise<number | null> => {
    const limit = Math.min(CLAIMED_AT_ONCE, MOST_UNDER_WAY - underWay.size)
    // Those that wait for a receiver have been claimed too early already.
    isFull = limit === 0 || receivers.waiting > 0
    if (isFull) return null
    const { claimed, nextDueInMs } = await store.claimDeliveries({ limit, leaseMs: LEASE_MS })
    for (const delivery of claimed) begin(delivery)
    return claimed.length === limit ? 0 : nextDueInMs
  }

  const begin = (claimed: ClaimedDelivery): void => {
    const work = carryOut(claimed).then(end => {
      ends.add(end)
      underWay.delete(work)
      if (isFull) loop.wake()
    })
    underWay.add(work)
  }

  const carryOut = async (claimed: ClaimedDelivery): Promise<DeliveryEnd> => {
    try {
      const outcome = await attempt(claimed)
      return outcome === 'busy' ? putBack(claimed, waitAgain(claimed)) : toEnd(claimed, outcome)
    } catch (error) {
      if (stopping.signal.aborted) return putBack(claimed, 0)
      logger.error({ err: error, delivery_id: claimed.delivery.id }, 'a delivery failed in the server itself')
      return toEnd(claimed, { type: 'retry', status: null, error: 'A fault of the server; see its log.' })
    }
  }

  const attempt = async (claimed: ClaimedDelivery): Promise<SinkOutcome | 'busy'> => {
    const sink = openSink(claimed, options.secrets)
    if (sink === null) return { type: 'stopped', status: null, error: 'The job has no such sink.' }
    const host = hostOf(sink)
    if (!(await receivers.enter(host))) return 'busy'
    const startedAt = clock.monotonic()
    try {
      return await sinks.deliver(await makeParcel(options, { claimed, sink, signal: stopping.signal }))
    } finally {
      receivers.leave(host, { tookMs: clock.monotonic() - startedAt })
    }
  }

  const loop = createLoop({ name: 'deliver', intervalMs: options.pollMs, runOnce, logger, clock })
  const stop = async (): Promise<void> => {
    await loop.stop()
    const patience = new AbortController()
    const enough = sleep(STOP_PATIENCE_MS, undefined, patience).catch(() => {})
    await Promise.race([Promise.all(underWay), enough])
    patience.abort()
    stopping.abort()
    await Promise.all(underWay)
    await ends.finish()
    await sinks.close()
  }
  let stopped: Promise<void> | null = null
  return {
    start: loop.start,
    wake: loop.wake,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

const waitAgain = ({ delivery, firstTryAt }: ClaimedDelivery): number | null =>
  deliveryRetry({
    triedForMs: (delivery.lastTryAt ?? firstTryAt) - firstTryAt,
    tries: delivery.tries,
    random: Math.random(),
  })

/** It has not been tried now: what is known of its last try stays. */
const putBack = ({ delivery, claimToken }: ClaimedDelivery, delayMs: number | null): DeliveryEnd => ({
  deliveryId: delivery.id,
  claimToken,
  lastStatus: delivery.lastStatus,
  lastError: delivery.lastError ?? 'It waits for other deliveries to the same receiver.',
  outcome: delayMs === null ? { type: 'failed' } : { type: 'retry', delayMs },
})

const toEnd = (claimed: ClaimedDelivery, { type, status, error }: SinkOutcome): DeliveryEnd => {
  const { delivery, claimToken } = claimed
  const told = { deliveryId: delivery.id, claimToken, lastStatus: status, lastError: error }
  if (type !== 'retry') return { ...told, outcome: { type } }
  const delayMs = waitAgain(claimed)
  return { ...told, outcome: delayMs === null ? { type: 'failed' } : { type: 'retry', delayMs } }
}

/** Ends deliveries in the store, many in one call. A store that fails is tried again while the claims hold. */
const createEnds = ({ store, clock, logger }: DeliverOptions) => {
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
        waiting = [...batch.filter(({ since }) => clock.monotonic() - since < LEASE_MS), ...waiting]
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
