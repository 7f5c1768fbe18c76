import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import type { Channel } from './channel.ts'
import { eventSourceChannel } from './event-source-channel.ts'
import { socketChannel } from './socket-channel.ts'

/** The most events that wait for a slow client; if there are more, it is disconnected. */
const MAX_WAITING = 10_000

/** Where events go, and where they come from. */
export type EventStream = {
  /** The target: a WebSocket, or the answer to a request for `text/event-stream`. */
  readonly to: { readonly socket: WebSocket } | { readonly request: IncomingMessage; readonly response: ServerResponse }
  /** Starts passing events, which are sent as JSON; returns a function that stops it. */
  readonly subscribe: (push: (event: object) => void) => () => void
  readonly pingMs: number
  readonly maxWaiting?: number
}

/** Sends events to one client in order, as they happen, until it disconnects. Resolves when the connection has ended. */
export const streamEvents = async ({ to, subscribe, pingMs, maxWaiting = MAX_WAITING }: EventStream): Promise<void> => {
  const channel =
    'socket' in to ? socketChannel(to.socket, pingMs) : eventSourceChannel(to.request, to.response, pingMs)
  const queue = new EventQueue(maxWaiting, channel.signal)
  const unsubscribe = subscribe(event => queue.push(event))
  try {
    await send(channel, queue)
  } finally {
    unsubscribe()
  }
}

const send = async (channel: Channel, queue: EventQueue): Promise<void> => {
  while (!channel.signal.aborted) {
    const events = await queue.take()
    if (queue.overflown) return channel.end('too_slow')
    const writing = channel.write(Buffer.concat(events.map(event => encodeOnce(channel, event))))
    // A client that has stopped reading never drains; it must not wait here forever.
    await queue.unlessOverflown(writing)
  }
}

/** Encoded events, by encoding. */
const encoded = new WeakMap<object, Map<string, Buffer>>()

/** Listeners share the encoded bytes. Encoding one batch of jobs for each of thousands of listeners took longer than the server's leases last. */
const encodeOnce = (channel: Channel, event: object): Buffer => {
  const forms = encoded.get(event) ?? new Map<string, Buffer>()
  encoded.set(event, forms)
  const bytes = forms.get(channel.encoding) ?? channel.encode([toMessage(event)])
  forms.set(channel.encoding, bytes)
  return bytes
}

const toMessage = (event: object) => ({
  data: JSON.stringify(event),
  ...('id' in event && { id: String(event.id) }),
})

class EventQueue {
  readonly #max: number
  #onOverflow = (): void => {}
  #events: object[] = []
  #overflown = false
  #news: PromiseWithResolvers<void> = Promise.withResolvers()

  constructor(max: number, gone: AbortSignal) {
    this.#max = max
    gone.addEventListener('abort', () => this.#news.resolve())
  }

  get overflown(): boolean {
    return this.#overflown
  }

  push(event: object): void {
    if (this.#overflown) return
    this.#events.push(event)
    this.#news.resolve()
    if (this.#events.length <= this.#max) return
    this.#overflown = true
    this.#events = []
    this.#onOverflow()
  }

  /** Resolves with the promise, or when too many events wait. `Promise.race` would leave a reaction on a promise that may never settle. */
  unlessOverflown(promise: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onOverflow = resolve
      promise.then(resolve, reject)
    })
  }

  /** The waiting events: at least one, or none if the client is gone. */
  async take(): Promise<readonly object[]> {
    if (this.#events.length === 0 && !this.#overflown) await this.#news.promise
    this.#news = Promise.withResolvers()
    const events = this.#events
    this.#events = []
    return events
  }
}
