/** One message to a live client. `id` is what an EventSource sends when it reconnects. */
export type Message = { readonly data: string; readonly id?: string | number; readonly event?: string }

/** Why a stream ends: it is complete, the client cannot keep up, or the server failed. */
export type ChannelEnd = 'done' | 'too_slow' | 'failed'

/** A live connection to one client, over WebSocket (`socket-channel.ts`) or server-sent events (`event-source-channel.ts`). */
export interface Channel {
  /** The name of its encoding. All channels with the same encoding may share encoded messages. */
  readonly encoding: string
  /** Aborted when the client is gone, or has shown no sign of life for too long. */
  readonly signal: AbortSignal
  encode(messages: readonly Message[]): Buffer
  /** Sends encoded messages. Resolves when the client can take more: nothing is buffered for a client that stops reading. */
  write(encoded: Buffer): Promise<void>
  /** Closes the connection after everything written has been sent. */
  end(reason: ChannelEnd): void
}

/** How often a client is pinged. */
export const PING_MS = 15_000

/** A client that shows no sign of life during this many pings is disconnected. */
export const MISSED_PINGS = 3
