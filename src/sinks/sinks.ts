import type { AddressRules } from '../kernel/address-rules.ts'
import type { Lookup } from '../kernel/guarded-connect.ts'
import { keptConnections } from '../kernel/guarded-connections.ts'
import { createGuardedFetch } from '../kernel/guarded-fetch.ts'
import type { Sink } from '../model/sink.ts'
import { deliverToS3 } from './s3.ts'
import { deliverWebhook } from './webhook.ts'

/** What leaves for a sink. */
export type Parcel<S extends Sink = Sink> = {
  /** With its secrets in it. */
  readonly sink: S
  /** JSON text (`model/delivery-body.ts`). */
  readonly body: string
  /** The same at every try. */
  readonly deliveryId: string
  readonly jobId: string
  readonly runId: string | null
  readonly workflowId: string | null
  /** Epoch ms, for the signature. */
  readonly now: number
  readonly signal: AbortSignal
}

/**
 * `delivered`: the sink has it. `stopped`: it never wants to hear of it again, or can never take it. `retry`: all else.
 * `status` is that of its HTTP answer, where there was one; `error` says what went wrong and holds no secrets.
 */
export type SinkOutcome = {
  readonly type: 'delivered' | 'retry' | 'stopped'
  readonly status: number | null
  readonly error: string | null
}

/** Delivers to sinks, through the guarded fetch whatever their type. */
export interface Sinks {
  /** One try, of half a minute at most. Throws the reason of the signal when it aborts; what else it throws is a bug. */
  deliver(parcel: Parcel): Promise<SinkOutcome>
  close(): Promise<void>
}

/** Connections to one receiver. */
export const CONNECTIONS_PER_HOST = 32

export const createSinks = (options: { rules: AddressRules; lookup?: Lookup }): Sinks => {
  const connections = keptConnections({ ...options, perHost: CONNECTIONS_PER_HOST })
  const fetch = createGuardedFetch({ ...options, connections })
  return {
    deliver: parcel => {
      const { sink } = parcel
      return sink.type === 'webhook'
        ? deliverWebhook(fetch, { ...parcel, sink })
        : deliverToS3(fetch, { ...parcel, sink })
    },
    close: () => connections.close(),
  }
}

/** What deliveries to one receiver have in common: those of a slow one must not hold back the others. */
export const hostOf = (sink: Sink): string => {
  if (sink.type === 'webhook') return URL.parse(sink.url)?.host ?? ''
  return sink.endpoint === undefined ? `${sink.bucket} at S3` : (URL.parse(sink.endpoint)?.host ?? '')
}
