import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { tokenOf } from './auth/authenticate.ts'
import type { Callers } from './auth/callers.ts'

/** Open WebSockets and event streams. They end with the server, and with the token that opened them. */
export type LiveStreams = {
  /** Tracks a stream until its response has ended (of a WebSocket: its connection). */
  add(request: FastifyRequest, response?: ServerResponse): void
  /** Aborted when the server starts to close: all waiting must end. */
  readonly closing: AbortSignal
  /** Closes those whose token is no longer valid: deleted, here or by another server, expired, or of a job that has ended. */
  check(): Promise<void>
}

type Socket = FastifyRequest['raw']['socket']

/** How long a stream may outlive its token. */
const CHECK_MS = 1000

/** Tracks the app's streams, and closes them when their time is over. */
export const createLiveStreams = (app: App, { callers, logger }: { callers: Callers; logger: Logger }): LiveStreams => {
  /** By connection, the tokens of its streams: several if a client pipelines requests. */
  const openers = new Map<Socket, string[]>()
  const closing = new AbortController()

  const remove = (socket: Socket, token: string): void => {
    const tokens = openers.get(socket)
    if (tokens !== undefined) openers.set(socket, tokens.toSpliced(tokens.indexOf(token), 1))
  }

  const check = async (): Promise<void> => {
    for (const token of new Set([...openers.values()].flat())) {
      if (callers.known(token) ?? (await callers.find(token))) continue
      for (const [socket, tokens] of openers) if (tokens.includes(token)) socket.destroy()
    }
  }
  const checkAgain = async (): Promise<void> => {
    // Without the store, tokens cannot be checked, so streams stay open until it is back.
    await check().catch(error => logger.warn({ err: error }, 'the tokens of streams could not be checked'))
    if (!closing.signal.aborted) timer.refresh()
  }
  const timer = setTimeout(() => void checkAgain(), CHECK_MS).unref()

  app.addHook('preClose', async () => {
    clearTimeout(timer)
    closing.abort()
    for (const socket of openers.keys()) socket.destroySoon()
  })
  // A keep-alive connection would keep the server from closing.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (closing.signal.aborted) reply.header('connection', 'close')
    done(null, payload)
  })
  return {
    closing: closing.signal,
    add: (request, response) => {
      const { socket } = request.raw
      const token = tokenOf(request)!
      if (!openers.has(socket)) socket.once('close', () => openers.delete(socket))
      const tokens = openers.get(socket) ?? []
      openers.set(socket, [...tokens, token])
      // The connection may go on with requests of others: a proxy keeps it.
      response?.once('close', () => remove(socket, token))
    },
    check,
  }
}
