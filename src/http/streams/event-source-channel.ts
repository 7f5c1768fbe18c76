import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Channel, type ChannelEnd, type Message, MISSED_PINGS } from './channel.ts'
import { drained } from './socket-channel.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Tells buffering proxies (nginx) not to buffer.
  'x-accel-buffering': 'no',
}

const LAST_WORDS: Readonly<Record<ChannelEnd, Message | null>> = {
  done: null,
  too_slow: { event: 'error', data: '{"message":"the client reads too slowly"}' },
  failed: { event: 'error', data: '{"message":"the server failed; connect again"}' },
}

/** A `text/event-stream` answer (HTML standard, server-sent events) as a channel. Sends a comment every `pingMs`. */
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

/** `data` is JSON, so it contains no line breaks. */
const encodeEvents = (messages: readonly Message[]): Buffer => {
  let text = ''
  for (const { id, event, data } of messages) {
    if (id !== undefined) text += `id: ${id}\n`
    if (event !== undefined) text += `event: ${event}\n`
    text += `data: ${data}\n\n`
  }
  return Buffer.from(text)
}

/** An event stream has no replies. A client that accepts nothing for several comments, or does not accept the end, is disconnected. */
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
