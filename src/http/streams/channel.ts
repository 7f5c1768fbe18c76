/** One message to a live client. `id` is what an EventSource sends back when it connects again. */
export type Message = { readonly data: string; readonly id?: string | number; readonly event?: string }

/** Why a stream ends: all was said, the client cannot keep up, or the server failed. */
export type ChannelEnd = 'done' | 'too_slow' | 'failed'

/** A live connection to one client, as WebSocket (`socket-channel.ts`) or event stream (`event-source-channel.ts`). */
export interface Channel {
  /** Names the encoding: encoded messages may be shared by all channels of the same. */
  readonly encoding: string
  /** Aborts when the client is gone, or was given up because it shows no sign of life. */
  readonly signal: AbortSignal
  encode(messages: readonly Message[]): Buffer
  /** Hands encoded messages to the client. Resolves when it may be given more: a client that stops reading is never buffered for. */
  write(encoded: Buffer): Promise<void>
  /** Ends the connection after what was written. */
  end(reason: ChannelEnd): void
}

/** So many pings without any sign of life, and a client is given up. */
export const MISSED_PINGS = 3
