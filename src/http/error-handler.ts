import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { App } from './app.ts'
import { PROBLEM_TYPE, problemOf, toMillraceError } from './problem.ts'

/** Distinguishes a wrong method (405) from a wrong path (404). */
export type RefuseUnrouted = (request: FastifyRequest, reply: FastifyReply) => never

/**
 * Turns every refusal into problem+json, including Fastify's own. Logs faults of the server, once. Returns the handler for requests without a route, for
 * dialects that format refusals differently.
 */
export const handleErrors = (app: App, { logger }: { logger: Logger }): RefuseUnrouted => {
  const routes = collectRoutes(app)

  app.setErrorHandler((thrown: unknown, request, reply) => sendProblem(reply, refusalOf(thrown, request, logger)))

  const refuseUnrouted: RefuseUnrouted = (request, reply) => {
    const path = pathOf(request.url)
    const allowed = routes.filter(route => route.pattern.test(path)).map(route => route.method)
    if (allowed.length === 0)
      throw new MillraceError('route_not_found', `There is no ${path}${slashHint(routes, path)}.`)
    reply.header('allow', allowed.join(', '))
    throw new MillraceError('method_not_allowed', `${path} supports ${allowed.join(', ')}.`)
  }
  app.setNotFoundHandler(refuseUnrouted)
  return refuseUnrouted
}

/** The refusal for what was thrown. A fault of the server is logged; being too busy is not a fault. */
export const refusalOf = (thrown: unknown, request: FastifyRequest, logger: Logger): MillraceError => {
  const error = toMillraceError(thrown)
  const isBusy = error === thrown && error.cause === undefined
  if (LOGGED.has(error.code) || (error.code === 'unavailable' && !isBusy)) logFault(logger, { thrown, request })
  return error
}

/** Faults that an operator has to fix. */
const LOGGED: ReadonlySet<ErrorCode> = new Set(['internal', 'storage_unavailable', 'content_damaged'])

/** A dialect's changes and additions to the problem. */
type InItsWords = { readonly status?: number; readonly error?: string; readonly documentation?: string }

/** Answers with a refusal as problem+json, and with the headers that belong to it. */
export const sendProblem = (reply: FastifyReply, error: MillraceError, words: InItsWords = {}): FastifyReply => {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter))
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="millrace"')
  return reply
    .code(words.status ?? error.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify({ ...problemOf(error), ...words }))
}

/** The path without its query: safe to log. */
export const pathOf = (url: string): string => {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

const logFault = (logger: Logger, { thrown, request }: { thrown: unknown; request: FastifyRequest }): void =>
  logger.error(
    { err: thrown, request_id: request.id, method: request.method, route: request.routeOptions.url },
    'a request failed by a fault of the server',
  )

const slashHint = (routes: readonly KnownRoute[], path: string): string =>
  path.endsWith('/') && routes.some(({ pattern }) => pattern.test(path.slice(0, -1)))
    ? ': leave out the slash at the end'
    : ''

type KnownRoute = { readonly method: string; readonly pattern: RegExp }

/** Collects every route when it is added. */
const collectRoutes = (app: App): readonly KnownRoute[] => {
  const routes: KnownRoute[] = []
  app.addHook('onRoute', route => {
    const pattern = new RegExp(`^${route.url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`)
    for (const method of [route.method].flat()) routes.push({ method, pattern })
  })
  return routes
}

/** Answers a request that Node's HTTP parser refused. */
export const answerUnreadable = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const detail = timeout ? 'The request did not arrive in time.' : 'The request is not readable as HTTP/1.1.'
  const body = JSON.stringify(problemOf(new MillraceError('bad_request', detail)))
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
