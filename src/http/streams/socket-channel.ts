import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { type Channel, type ChannelEnd, MISSED_PINGS } from './channel.ts'
import { encodeFrames, payloadsOf } from './frames.ts'

/** RFC 6455, 7.4.1: 1013 is "try again later", 1011 an error of the server. */
const CLOSES: Readonly<Record<ChannelEnd, readonly [number, string]>> = {
  done: [1000, ''],
  too_slow: [1013, 'the client reads too slowly'],
  failed: [1011, 'the server failed; connect again'],
}

/** A WebSocket as a channel. Pings every `pingMs`. */
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
 * Without extensions a frame is what we made: it goes straight to the TCP socket, thousands of messages in one write.
 * `ws` too writes whole frames there at once (pings, the close), so they cannot get between.
 */
const writeFrames = async (socket: WebSocket, frames: Buffer, gone: AbortSignal): Promise<void> => {
  const { _socket: tcp } = socket as unknown as { readonly _socket: Socket }
  if (!tcp.write(frames)) await drained(tcp, gone)
}

/** With compression negotiated every message has to go through `ws`. */
const sendMessages = async (socket: WebSocket, frames: Buffer): Promise<void> => {
  let last: Promise<void> = Promise.resolve()
  for (const payload of payloadsOf(frames))
    last = new Promise(resolve => socket.send(payload, { binary: false }, () => resolve()))
  await last
}

/** Resolves when the stream has room again, or at the abort. */
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

/** Between two pings. Nothing is asked of clients but to listen: messages as fast as the network brings them would keep the server from all else. */
const MOST_HEARD = 100

/** A client that neither answers pings nor takes what is written is gone, whatever TCP believes; one that talks without end is sent away. */
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
