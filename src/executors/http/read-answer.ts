import type { GuardedResponse } from '../../kernel/guarded-fetch.ts'
import type { Exchange } from './exchange.ts'

/** The stored part of a response. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** From sending the request to the last byte read. */
  readonly elapsedMs: number
  /** Number of body bytes kept. */
  readonly bytes: number
  readonly body: string
  readonly isTruncated: boolean
}

const KEPT_BYTES = 64 * 1024

/** Reads the first 64 KiB of a response as UTF-8, replacing invalid bytes. Stops reading a longer one. Throws `FetchError`. */
export const readAnswer = async (response: GuardedResponse, exchange: Exchange): Promise<Answer> => {
  exchange.answered(response.status)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    chunks.push(chunk)
    size += chunk.length
    exchange.kept(Math.min(size, KEPT_BYTES))
    if (size > KEPT_BYTES) break
  }
  const kept = Buffer.concat(chunks).subarray(0, KEPT_BYTES)
  const isTruncated = size > KEPT_BYTES
  return {
    status: response.status,
    headers: response.headers,
    elapsedMs: exchange.elapsedMs,
    bytes: kept.length,
    // `stream` omits a character cut in half.
    body: new TextDecoder().decode(kept, { stream: isTruncated }),
    isTruncated,
  }
}
