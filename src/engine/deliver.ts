import { setTimeout as sleep } from 'node:timers/promises'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { AddressRules } from '../kernel/address-rules.ts'
import type { Clock } from '../kernel/clock.ts'
import { MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { deliveryRetry } from '../model/delivery-retry.ts'
import { createReceivers } from '../sinks/receivers.ts'
import { CONNECTIONS_PER_HOST, createSinks, hostOf, type SinkOutcome } from '../sinks/sinks.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { ClaimedDelivery, DeliveryEnd } from '../store/sink-store.ts'
import type { Store } from '../store/store.ts'
import { createDeliveryEnds } from './delivery-ends.ts'
import { makeParcel, openSink } from './delivery-parcel.ts'
import { createLoop, type Loop } from './loop.ts'

export type DeliverOptions = {
  readonly store: Store
  readonly blobs: BlobStore
  /** Which addresses sinks may connect to. */
  readonly addressRules: AddressRules
  readonly secrets: SecretBox
  readonly clock: Clock
  readonly logger: Logger
  /** Base of the URLs in delivered bodies. */
  readonly publicUrl: string
  /** Poll interval in case hints are lost. */
  readonly pollMs: number
}

const CLAIMED_AT_ONCE = 64
const MOST_UNDER_WAY = 512
/** Limit for the job bodies of all deliveries in flight, which are held in memory. One body may be megabytes. */
const MOST_CHARACTERS = 64 * 1024 * 1024
const PER_RECEIVER = { atOnce: CONNECTIONS_PER_HOST, mostWaiting: 128, patienceMs: 500 }
/**
 * While this many deliveries wait for their receivers, claims come at most once per `PACE_MS`. A fast receiver takes its share within that time, and what
 * a slow one cannot take is put back without blocking the deliveries behind it.
 */
const MANY_WAITING = 32
const PACE_MS = 100
/** Longer than one try including its wait for other deliveries to the same receiver. */
const CLAIM_MS = 60_000
/** At stop, deliveries in flight may finish for this long. The rest is put back and sent again with the same id. */
const STOP_PATIENCE_MS = 3_000

/**
 * Sends the contents of the outbox. A delivery is claimed with a lease, tried once, and ended in the store, batched with others that end at the same time.
 * None is lost: if this process dies, the lease expires and the next claim picks it up.
 */
export const createDeliverLoop = (options: DeliverOptions): Loop => {
  const { store, clock, logger } = options
  const sinks = createSinks({ rules: options.addressRules })
  const receivers = createReceivers({ ...PER_RECEIVER, clock })
  const underWay = new Set<Promise<void>>()
  const stopping = new AbortController()
  const ends = createDeliveryEnds({ store, clock, logger, claimMs: CLAIM_MS })
  let charactersUnderWay = 0
  /** Largest job body of the last claim, used as the estimate for the next. */
  let largest = 1
  /** While true, each delivery that ends wakes the loop. */
  let isFull = false
  let lastClaimAt = Number.NEGATIVE_INFINITY

  const runOnce = async (): Promise<number | null> => {
    const room = Math.max(0, Math.ceil((MOST_CHARACTERS - charactersUnderWay) / largest))
    const limit = Math.min(CLAIMED_AT_ONCE, MOST_UNDER_WAY - underWay.size, room)
    const pause = receivers.waiting < MANY_WAITING ? 0 : lastClaimAt + PACE_MS - clock.monotonic()
    isFull = limit === 0 || pause > 0
    if (isFull) return limit === 0 ? null : pause
    lastClaimAt = clock.monotonic()
    const { claimed, nextDueInMs } = await store.claimDeliveries({ limit, leaseMs: CLAIM_MS })
    if (claimed.length > 0) largest = Math.max(...claimed.map(({ job }) => job.spec.length))
    for (const delivery of claimed) begin(delivery)
    return claimed.length === limit ? 0 : nextDueInMs
  }

  const begin = (claimed: ClaimedDelivery): void => {
    const characters = claimed.job.spec.length
    charactersUnderWay += characters
    const work = carryOut(claimed).then(end => {
      ends.add(end)
      underWay.delete(work)
      charactersUnderWay -= characters
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
      // Such an error comes from the blob store, or says that the secret key is wrong.
      const told = error instanceof MillraceError ? error.message : 'A fault of the server; see its log.'
      return toEnd(claimed, { type: 'retry', status: null, error: told })
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

/** Not tried this time, so the result of the last try is kept. */
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
