import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import type { Channel } from './channel.ts'
import { eventSourceChannel } from './event-source-channel.ts'
import { socketChannel } from './socket-channel.ts'

/** Events that may wait for a slow client; one that is further behind is sent away. */
const MAX_WAITING = 10_000

export type EventStream = {
  /** Where the events go: a WebSocket, or the answer to a request for `text/event-stream`. */
  readonly to: { readonly socket: WebSocket } | { readonly request: IncomingMessage; readonly response: ServerResponse }
  /** Begins to hand over events, objects to be sent as JSON; returns how to stop. */
  readonly subscribe: (push: (event: object) => void) => () => void
  readonly pingMs: number
  readonly maxWaiting?: number
}

/** Sends events to one client as they happen, in order, until it goes. Resolves when the connection is over. */
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
    // A client that has stopped reading never drains: it must not keep its place for ever.
    await queue.unlessOverflown(writing)
  }
}

/** By event and encoding. */
const encoded = new WeakMap<object, Map<string, Buffer>>()

/** The same bytes for all who listen: made for each of thousands, those of one batch of jobs kept the server for longer than its leases. */
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

  /** Resolves with the promise, or when too many wait. Not a race: it would leave something for each on what never comes. */
  unlessOverflown(promise: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onOverflow = resolve
      promise.then(resolve, reject)
    })
  }

  /** What waits, at least one event, or none when the client is gone. */
  async take(): Promise<readonly object[]> {
    if (this.#events.length === 0 && !this.#overflown) await this.#news.promise
    this.#news = Promise.withResolvers()
    const events = this.#events
    this.#events = []
    return events
  }
}
