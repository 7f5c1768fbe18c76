import { createHmac } from 'node:crypto'

type Message = {
  /** The same for every try of a delivery: receivers deduplicate by it. */
  readonly id: string
  /** Epoch ms of this try. Receivers refuse old timestamps to prevent replays. */
  readonly now: number
  readonly body: string
  /** `whsec_` and base64. null: not signed. */
  readonly secret: string | null
}

/** Headers of the Standard Webhooks specification (https://www.standardwebhooks.com) with symmetric signatures (v1). */
export const signWebhook = ({ id, now, body, secret }: Message): Record<string, string> => {
  const timestamp = String(Math.floor(now / 1000))
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp }
  if (secret === null) return headers
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { ...headers, 'webhook-signature': `v1,${signature}` }
}
