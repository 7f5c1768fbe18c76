import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Channel, type ChannelEnd, type Message, MISSED_PINGS } from './channel.ts'
import { drained } from './socket-channel.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Asks proxies that buffer answers (nginx) not to.
  'x-accel-buffering': 'no',
}

const LAST_WORDS: Readonly<Record<ChannelEnd, Message | null>> = {
  done: null,
  too_slow: { event: 'error', data: '{"message":"the client reads too slowly"}' },
  failed: { event: 'error', data: '{"message":"the server failed; connect again"}' },
}

/** An answer of `text/event-stream` (HTML standard, server-sent events) as a channel. A comment every `pingMs`. */
export const eventSourceChannel = (request: IncomingMessage, response: ServerResponse, pingMs: number): Channel => {
  const gone = new AbortController()
  response.writeHead(200, HEADERS)
  response.flushHeaders()
  const life = watchLife(response, pingMs)
  response.on('error', () => response.destroy())
  response.once('close', () => {
    life.stop()
    gone.abort()
  })
  if (request.socket.destroyed) gone.abort()
  return {
    encoding: 'event-source',
    signal: gone.signal,
    encode: encodeEvents,
    write: async encoded => {
      if (response.writableEnded || response.destroyed) return
      if (!response.write(encoded)) await drained(response, gone.signal)
      life.sign()
    },
    end: reason => {
      const words = LAST_WORDS[reason]
      response.end(words === null ? undefined : encodeEvents([words]))
    },
  }
}

/** `data` is JSON and thus has no line break of its own. */
const encodeEvents = (messages: readonly Message[]): Buffer => {
  let text = ''
  for (const { id, event, data } of messages) {
    if (id !== undefined) text += `id: ${id}\n`
    if (event !== undefined) text += `event: ${event}\n`
    text += `data: ${data}\n\n`
  }
  return Buffer.from(text)
}

/** An event stream has no answers: a client that takes nothing for several comments, or not even the end, is given up. */
const watchLife = (response: ServerResponse, pingMs: number): { sign(): void; stop(): void } => {
  let missed = 0
  const sign = () => {
    missed = 0
  }
  const timer = setInterval(() => {
    if (!response.writableEnded && !response.writableNeedDrain) {
      sign()
      response.write(':\n\n')
    } else if (missed++ >= MISSED_PINGS) response.destroy()
  }, pingMs)
  timer.unref()
  return { sign, stop: () => clearInterval(timer) }
}
