import { unescape as percentDecode } from 'node:querystring'
import type { Dispatcher } from 'undici'
import type { AddressRules } from './address-rules.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import { FetchError, toFetchError } from './fetch-error.ts'
import type { Lookup } from './guarded-connect.ts'
import { freshConnections, type GuardedConnection, type GuardedConnections } from './guarded-connections.ts'
import { followRedirect, type HopRequest } from './redirect.ts'
import { ACCEPTED_ENCODINGS, decodeBody } from './response-body.ts'

type GuardedRequest = {
  /** http or https. Credentials in it become `Authorization`. */
  readonly url: string
  /** Defaults to GET. */
  readonly method?: string
  /** Headers that frame the message (`content-length`, `connection`, …) are ignored; this module sets them. */
  readonly headers?: Readonly<Record<string, string>>
  /** Held in memory because a redirect may need it again. */
  readonly body?: string | Uint8Array
  /** Limit for the response, both before and after decompression. */
  readonly maxBytes: number
  /** false: the body as sent, whatever its Content-Encoding. */
  readonly decodes?: false
  /** Up to the last byte of the response, redirects included; no limit by default. */
  readonly timeoutMs?: number
  /** For one connection: lookup, TCP and TLS. Default 10 s; always 5 s for kept connections. */
  readonly connectTimeoutMs?: number
  /** Longest time the remote server may send nothing. Default 60 s. */
  readonly idleTimeoutMs?: number
  /** Default 5; with 0 the redirect itself is the response. */
  readonly maxRedirects?: number
  readonly signal?: AbortSignal
}

/** The status and headers of a response whose body is still to be read. */
export type GuardedResponse = {
  /** The final URL after redirects. */
  readonly url: string
  readonly status: number
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded; read it once, or discard it. Throws `FetchError`. Stopping early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Closes the connection of a response whose body is not needed. */
  discard(): Promise<void>
}

export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedResponse>

type FetchOptions = {
  readonly rules: AddressRules
  /** For tests; defaults to the system's resolver. */
  readonly lookup?: Lookup
  /** Keeps connections between requests, which makes many small requests to one server cheap. Its creator closes it. Default: a new connection for each hop. */
  readonly connections?: GuardedConnections
}

/**
 * Fetches a user-supplied URL without letting the user reach hosts that only this server can reach. For each hop it resolves the host, checks the
 * addresses and connects to exactly those. Throws `FetchError` or the reason of `signal`; any other error is the caller's mistake (a header with a
 * line break). Any status is a response.
 *
 * Without `connections` every hop has its own connection, so no request fails because the server has just closed a kept one. The environment's proxy
 * is not used: it would connect unchecked.
 */
export const createGuardedFetch = (options: FetchOptions): GuardedFetch => {
  const connections = options.connections ?? freshConnections(options)
  return async request => {
    const deadline = startDeadline(request)
    try {
      return await followToResponse({ request, connections, deadline })
    } catch (error) {
      deadline.end()
      throw error
    }
  }
}

type Fetching = {
  readonly request: GuardedRequest
  readonly connections: GuardedConnections
  readonly deadline: Deadline
}

/** A request that was sent, and the start of its response. */
type Exchange = {
  readonly hop: HopRequest
  readonly connection: GuardedConnection
  readonly response: Dispatcher.ResponseData
}

const followToResponse = async (fetching: Fetching): Promise<GuardedResponse> => {
  const { maxRedirects = 5 } = fetching.request
  let hop = firstHop(fetching.request)
  for (let redirects = 0; ; redirects++) {
    const exchange = await send(hop, fetching)
    try {
      const next = maxRedirects === 0 ? null : redirected(exchange)
      if (next === null) return toResponse(exchange, fetching)
      if (redirects === maxRedirects)
        throw new FetchError('redirect_refused', `It redirects more than ${maxRedirects} times.`)
      hop = next
    } catch (error) {
      close(exchange)
      throw error
    }
    close(exchange)
  }
}

const redirected = ({ hop, response }: Exchange): HopRequest | null =>
  followRedirect(hop, response.statusCode, joinHeaders(response.headers).location)

/** Headers that this module sets itself. */
const FRAMING = /^(connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/

const firstHop = ({ url: text, method = 'GET', headers = {}, body }: GuardedRequest): HopRequest => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new FetchError('address_refused', 'It is not an http or https URL.')
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const own = Object.fromEntries(given.filter(([name]) => !FRAMING.test(name)))
  // Part of an encoded body cannot be decoded.
  const encodings = own.range === undefined ? ACCEPTED_ENCODINGS : 'identity'
  const defaults = { accept: '*/*', 'accept-encoding': encodings, 'user-agent': 'millrace', ...credentials(url) }
  return { url, method: method.toUpperCase(), headers: { ...defaults, ...own }, body: body ?? null }
}

/** `user:password@` of the URL as an `Authorization` header, removed from the URL. */
const credentials = (url: URL): Record<string, string> => {
  if (url.username === '' && url.password === '') return {}
  const pair = `${percentDecode(url.username)}:${percentDecode(url.password)}`
  url.username = ''
  url.password = ''
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
}

const send = async (hop: HopRequest, { request, connections, deadline }: Fetching): Promise<Exchange> => {
  const limits = {
    connectTimeoutMs: request.connectTimeoutMs ?? 10_000,
    idleTimeoutMs: request.idleTimeoutMs ?? 60_000,
  }
  let connection: GuardedConnection | null = null
  try {
    const opened = await beforeOver(deadline, connections.open(hop.url, limits))
    connection = opened
    deadline.whenOver(reason => opened.drop(reason))
    const response = await opened.request({
      path: `${hop.url.pathname}${hop.url.search}`,
      method: hop.method as Dispatcher.HttpMethod,
      headers: hop.headers,
      body: hop.body,
      onInfo: countInterim(opened),
    })
    response.body.on('error', ignore) // the reader gets the error; without a reader nobody needs it
    return { hop, connection, response }
  } catch (error) {
    connection?.drop()
    throw explain(error, hop, deadline)
  }
}

/** Limit on interim responses (1xx, RFC 9110, 15.2). They reset the idle timeout and are not part of the body, so no other limit would end a series of them. */
const MOST_INTERIM = 100

const countInterim = (connection: GuardedConnection): (() => void) => {
  let left = MOST_INTERIM
  return () => {
    if (left-- === 0) connection.drop(new FetchError('response_unreadable', 'It has interim answers without end.'))
  }
}

const beforeOver = <T>(deadline: Deadline, promise: Promise<T>): Promise<T> => {
  const over = Promise.withResolvers<never>()
  deadline.whenOver(over.reject)
  return Promise.race([promise, over.promise])
}

const toResponse = ({ hop, connection, response }: Exchange, { request, deadline }: Fetching): GuardedResponse => {
  const headers = joinHeaders(response.headers)
  const isEmpty = hop.method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304
  const encoding = isEmpty || request.decodes === false ? undefined : headers['content-encoding']
  const content = decodeBody(response.body, encoding, request.maxBytes)
  const finish = () => {
    deadline.end()
    close({ connection, response })
  }
  return {
    url: hop.url.href,
    status: response.statusCode,
    headers,
    body: readBody(content, error => explain(error, hop, deadline), finish),
    discard: async () => finish(),
  }
}

async function* readBody(
  content: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => unknown,
  finish: () => void,
): AsyncIterable<Uint8Array> {
  try {
    yield* content
  } catch (error) {
    throw explain(error)
  } finally {
    finish()
  }
}

const explain = (error: unknown, hop: HopRequest, deadline: Deadline): unknown => {
  if (deadline.reason !== null) return deadline.reason
  return (error as { code?: string }).code === 'UND_ERR_INVALID_ARG' ? error : toFetchError(error, hop.url.origin)
}

const joinHeaders = (headers: Dispatcher.ResponseData['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]))

/** A response that was read completely leaves its connection open to be kept or closed. */
const close = ({ connection, response }: Omit<Exchange, 'hop'>): void => {
  if (!response.body.readableEnded) response.body.destroy()
  connection.drop()
}

const ignore = (): void => {}
