import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { tokenOf } from './auth/authenticate.ts'
import type { Callers } from './auth/callers.ts'

/** Open WebSockets and event streams. They end with the server, and with the token that opened them. */
export type LiveStreams = {
  /** Tracks a stream, before it is opened, until its response has ended (of a WebSocket: its connection). Throws `too_many_streams`. */
  add(request: FastifyRequest, response?: ServerResponse): void
  /** Aborted when the server starts to close: all waiting must end. */
  readonly closing: AbortSignal
  /** Closes those whose token is no longer valid: deleted, here or by another server, expired, or of a job that has ended. */
  check(): Promise<void>
}

type Socket = FastifyRequest['raw']['socket']
type Opener = { readonly token: string; readonly workspace: string }

type Dependencies = {
  readonly callers: Callers
  readonly logger: Logger
  /** Per workspace. A client that follows a log and does not read takes about 1 MiB, others 20 KiB. */
  readonly most: number
}

/** How long a stream may outlive its token. */
const CHECK_MS = 1000

/** Tracks the app's streams, and closes them when their time is over. */
export const createLiveStreams = (app: App, { callers, logger, most }: Dependencies): LiveStreams => {
  /** By connection, who opened its streams: several if a client pipelines requests. */
  const openers = new Map<Socket, readonly Opener[]>()
  const closing = new AbortController()

  const remove = (socket: Socket, opener: Opener): void => {
    const others = openers.get(socket)?.filter(other => other !== opener)
    if (others !== undefined) openers.set(socket, others)
  }

  const requirePlace = (workspace: string): void => {
    const open = [...openers.values()].flat().filter(opener => opener.workspace === workspace).length
    if (open < most) return
    const detail = `The workspace has ${open} open streams; at most ${most} are allowed.`
    throw new MillraceError('too_many_streams', detail, { retryAfter: 5 })
  }

  const check = async (): Promise<void> => {
    for (const token of new Set([...openers.values()].flat().map(opener => opener.token))) {
      if (callers.known(token) ?? (await callers.find(token))) continue
      for (const [socket, own] of openers) if (own.some(opener => opener.token === token)) socket.destroy()
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
      const { workspace } = request.caller
      requirePlace(workspace)
      // Its `close` may have been emitted already.
      if (socket.destroyed) return
      const opener = { token: tokenOf(request)!, workspace }
      if (!openers.has(socket)) socket.once('close', () => openers.delete(socket))
      openers.set(socket, [...(openers.get(socket) ?? []), opener])
      // The connection may go on with requests of others: a proxy keeps it.
      response?.once('close', () => remove(socket, opener))
    },
    check,
  }
}
