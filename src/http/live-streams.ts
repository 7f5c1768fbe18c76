import type { FastifyRequest } from 'fastify'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { tokenOf } from './auth/authenticate.ts'
import type { Callers } from './auth/callers.ts'

/** Open WebSockets and event streams: they end with the server and with the token that opened them. */
export type LiveStreams = {
  /** Until the connection is closed. */
  add(request: FastifyRequest): void
  /** Aborts when the server begins to close: what waits for something stops waiting. */
  readonly closing: AbortSignal
  /** Cuts those whose tokens are not valid any more: deleted, here or by another server, expired, or of a job that has ended. */
  check(): Promise<void>
}

type Socket = FastifyRequest['raw']['socket']

/** How long a stream may outlive its token. */
const CHECK_MS = 1000

export const createLiveStreams = (app: App, { callers, logger }: { callers: Callers; logger: Logger }): LiveStreams => {
  /** More than one where a client has sent the next request before the answer to this one has ended. */
  const openers = new Map<Socket, Set<string>>()
  const closing = new AbortController()

  const check = async (): Promise<void> => {
    for (const token of new Set([...openers.values()].flatMap(tokens => [...tokens]))) {
      if (callers.known(token) ?? (await callers.find(token))) continue
      for (const [socket, tokens] of openers) if (tokens.has(token)) socket.destroy()
    }
  }
  const checkAgain = async (): Promise<void> => {
    // Without the store nobody can say whether a token is valid: who had a right keeps it until then.
    await check().catch(error => logger.warn({ err: error }, 'the tokens of streams could not be checked'))
    if (!closing.signal.aborted) timer.refresh()
  }
  const timer = setTimeout(() => void checkAgain(), CHECK_MS).unref()

  app.addHook('preClose', async () => {
    clearTimeout(timer)
    closing.abort()
    for (const socket of openers.keys()) socket.destroySoon()
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
      if (!openers.has(socket)) socket.once('close', () => openers.delete(socket))
      openers.set(socket, (openers.get(socket) ?? new Set()).add(tokenOf(request)!))
    },
    check,
  }
}
