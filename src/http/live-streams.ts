import type { FastifyRequest } from 'fastify'
import type { App } from './app.ts'

/** Open WebSockets and event streams: they end with the server and with the token that opened them. */
export type LiveStreams = {
  /** Until the connection is closed. */
  add(request: FastifyRequest): void
  /** Aborts when the server begins to close: what waits for something stops waiting. */
  readonly closing: AbortSignal
  /** Cuts the streams that this token opened. */
  cut(tokenId: string): void
}

export const createLiveStreams = (app: App): LiveStreams => {
  const open = new Map<FastifyRequest['raw']['socket'], string | null>()
  const closing = new AbortController()
  app.addHook('preClose', async () => {
    closing.abort()
    for (const socket of open.keys()) socket.destroySoon()
  })
  // A connection that would be kept after its last answer would keep the server from closing.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing.signal.aborted) reply.header('connection', 'close')
    done(null, payload)
  })
  return {
    closing: closing.signal,
    add: request => {
      const { socket } = request.raw
      if (!open.has(socket)) socket.once('close', () => open.delete(socket))
      open.set(socket, request.caller.tokenId)
    },
    cut: tokenId => {
      for (const [socket, opener] of open) if (opener === tokenId) socket.destroy()
    },
  }
}
