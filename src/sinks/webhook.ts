import { FetchError } from '../kernel/fetch-error.ts'
import type { GuardedFetch, GuardedResponse } from '../kernel/guarded-fetch.ts'
import type { WebhookSink } from '../model/sink.ts'
import { signWebhook } from './sign-webhook.ts'
import type { Parcel, SinkOutcome } from './sinks.ts'

/** Time for a receiver to answer. Processing the message can wait until after the response. */
const TRY_MS = 15_000
/** The rest of a response is read only so that the connection can be reused; its content is irrelevant. */
const REST_BYTES = 64 * 1024
const REST_MS = 2_000

/**
 * Posts the body according to the Standard Webhooks specification. 2xx means delivered, 410 means "never again". A redirect is not followed, because it
 * would reveal the message and its signature to a party that nobody named. It is retried like every other failure.
 */
export const deliverWebhook = async (fetch: GuardedFetch, parcel: Parcel<WebhookSink>): Promise<SinkOutcome> => {
  const { sink, body, signal } = parcel
  try {
    const response = await fetch({
      url: sink.url,
      method: 'POST',
      headers: { ...lowerCase(sink.headers ?? {}), ...ownHeaders(parcel) },
      body,
      maxBytes: REST_BYTES,
      decodes: false,
      timeoutMs: TRY_MS,
      maxRedirects: 0,
      signal,
    })
    await readRest(response)
    return toOutcome(response.status)
  } catch (error) {
    if (signal.aborted) throw error
    return toFailure(error)
  }
}

/** Lower case, so that no header is sent twice. */
const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const ownHeaders = ({ sink, body, deliveryId, now }: Parcel<WebhookSink>): Record<string, string> => ({
  'content-type': 'application/json',
  'accept-encoding': 'identity',
  ...signWebhook({ id: deliveryId, now, body, secret: sink.secret ?? null }),
})

/** The status is known: nothing that happens here changes the outcome. */
const readRest = async (response: GuardedResponse): Promise<void> => {
  const timer = setTimeout(() => void response.discard(), REST_MS)
  try {
    for await (const _ of response.body);
  } catch {
    // Too long, too slow or broken: the connection is closed.
  } finally {
    clearTimeout(timer)
  }
}

const toOutcome = (status: number): SinkOutcome => {
  if (status >= 200 && status < 300) return { type: 'delivered', status, error: null }
  // Not the body: receivers echo what they were sent, secrets included.
  const error = `The receiver answered with status ${status}.`
  return { type: status === 410 ? 'stopped' : 'retry', status, error }
}

const toFailure = (error: unknown): SinkOutcome => {
  if (error instanceof FetchError) return { type: 'retry', status: null, error: `${error.code}: ${error.message}` }
  if ((error as { code?: string }).code !== 'UND_ERR_INVALID_ARG') throw error
  return { type: 'stopped', status: null, error: 'A header of the sink cannot be sent.' }
}
