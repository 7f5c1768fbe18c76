import type { AddressRules } from '../kernel/address-rules.ts'
import type { Lookup } from '../kernel/guarded-connect.ts'
import { keptConnections } from '../kernel/guarded-connections.ts'
import { createGuardedFetch } from '../kernel/guarded-fetch.ts'
import type { Sink } from '../model/sink.ts'
import { deliverToS3 } from './s3.ts'
import { deliverWebhook } from './webhook.ts'

/** One delivery to a sink. */
export type Parcel<S extends Sink = Sink> = {
  /** The sink with its secrets filled in. */
  readonly sink: S
  /** JSON text (`model/delivery-body.ts`). */
  readonly body: string
  /** The same for every try. */
  readonly deliveryId: string
  readonly jobId: string
  readonly runId: string | null
  readonly workflowId: string | null
  /** Epoch ms, for the signature. */
  readonly now: number
  readonly signal: AbortSignal
}

/**
 * `delivered`: the sink has it. `stopped`: the sink declines it for good or can never accept it. `retry`: everything else. `status` is the HTTP status of
 * the response, if any. `error` describes the failure and contains no secrets.
 */
export type SinkOutcome = {
  readonly type: 'delivered' | 'retry' | 'stopped'
  readonly status: number | null
  readonly error: string | null
}

/** Delivers to sinks of all types, through the guarded fetch. */
export interface Sinks {
  /** One try, at most half a minute. Throws the signal's reason when it aborts; anything else thrown is a bug. */
  deliver(parcel: Parcel): Promise<SinkOutcome>
  close(): Promise<void>
}

/** Maximum number of connections to one receiver. */
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

/** Identifies a receiver: deliveries to a slow one must not block those to others. */
export const hostOf = (sink: Sink): string => {
  if (sink.type === 'webhook') return URL.parse(sink.url)?.host ?? ''
  return sink.endpoint === undefined ? `${sink.bucket} at S3` : (URL.parse(sink.endpoint)?.host ?? '')
}
