import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { type Channel, type ChannelEnd, MISSED_PINGS } from './channel.ts'
import { encodeFrames, payloadsOf } from './frames.ts'

/** RFC 6455, 7.4.1: 1011 is a server error; 1013 means "try again later". */
const CLOSES: Readonly<Record<ChannelEnd, readonly [number, string]>> = {
  done: [1000, ''],
  too_slow: [1013, 'the client reads too slowly'],
  failed: [1011, 'the server failed; connect again'],
}

/** A WebSocket as a channel. Sends a ping every `pingMs`. */
export const socketChannel = (socket: WebSocket, pingMs: number): Channel => {
  const gone = new AbortController()
  const life = watchLife(socket, pingMs)
  socket.on('error', () => socket.terminate())
  socket.once('close', () => {
    life.stop()
    gone.abort()
  })
  if (socket.readyState !== WebSocket.OPEN) socket.terminate()
  return {
    encoding: 'websocket',
    signal: gone.signal,
    encode: encodeFrames,
    write: async frames => {
      if (socket.readyState !== WebSocket.OPEN) return
      await (socket.extensions === '' ? writeFrames(socket, frames, gone.signal) : sendMessages(socket, frames))
      life.sign()
    },
    end: reason => {
      life.stop()
      socket.close(...CLOSES[reason])
    },
  }
}

/**
 * Without extensions our frames are final: they go straight to the TCP socket, thousands of messages in one write. `ws` also writes its frames there at once
 * (pings, the close), so they cannot get in between.
 */
const writeFrames = async (socket: WebSocket, frames: Buffer, gone: AbortSignal): Promise<void> => {
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket }
  if (!tcp.write(frames)) await drained(tcp, gone)
}

/** If compression was negotiated, every message must go through `ws`. */
const sendMessages = async (socket: WebSocket, frames: Buffer): Promise<void> => {
  let last: Promise<void> = Promise.resolve()
  for (const payload of payloadsOf(frames))
    last = new Promise(resolve => socket.send(payload, { binary: false }, () => resolve()))
  await last
}

/** Resolves when the stream has room again, or when aborted. */
export const drained = (stream: NodeJS.WritableStream, gone: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const done = () => {
      stream.removeListener('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    if (gone.aborted) return resolve()
    stream.once('drain', done)
    gone.addEventListener('abort', done)
  })

/** The most messages from a client between two pings. Clients only have to listen; messages at full network speed would keep the server busy. */
const MOST_HEARD = 100

/** Disconnects a client that neither answers pings nor accepts data, whatever TCP says, and one that sends too much. */
const watchLife = (socket: WebSocket, pingMs: number): { sign(): void; stop(): void } => {
  let missed = 0
  let heard = 0
  const sign = () => {
    missed = 0
  }
  const hear = () => {
    sign()
    if (++heard > MOST_HEARD) socket.terminate()
  }
  const timer = setInterval(() => {
    heard = 0
    if (missed++ >= MISSED_PINGS) return socket.terminate()
    if (socket.readyState === WebSocket.OPEN) socket.ping()
  }, pingMs)
  timer.unref()
  for (const said of ['ping', 'pong', 'message']) socket.on(said, hear)
  return { sign, stop: () => clearInterval(timer) }
}
