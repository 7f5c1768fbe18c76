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
  /** GET when absent. */
  readonly method?: string
  /** Those that frame the message (`content-length`, `connection`, …) are made here and ignored. */
  readonly headers?: Readonly<Record<string, string>>
  /** Kept whole, because a redirect may ask for it again. */
  readonly body?: string | Uint8Array
  /** Of the response, before and after decompression. */
  readonly maxBytes: number
  /** false: the body as it was sent, whatever its Content-Encoding. */
  readonly decodes?: false
  /** To the last byte of the response, redirects included; no limit when absent. */
  readonly timeoutMs?: number
  /** For one connection: lookup, TCP and TLS. 10 s when absent; always 5 s for those that are kept. */
  readonly connectTimeoutMs?: number
  /** The longest silence of the other server. 60 s when absent. */
  readonly idleTimeoutMs?: number
  /** 5 when absent; 0 gives the redirect itself as the response. */
  readonly maxRedirects?: number
  readonly signal?: AbortSignal
}

/** The start of a response, its body still to be read. */
export type GuardedResponse = {
  /** Where the redirects ended. */
  readonly url: string
  readonly status: number
  /** Names in lower case; repeated ones joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded; to be read once, or discarded. Throws `FetchError`. Leaving it early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>
  /** Closes the connection of a response whose body is not wanted. */
  discard(): Promise<void>
}

export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedResponse>

type FetchOptions = {
  readonly rules: AddressRules
  /** For tests; the system's resolver when absent. */
  readonly lookup?: Lookup
  /** Connections that are kept between requests, which makes many small requests to one server cheap; whoever made them closes them. A new one for each hop when absent. */
  readonly connections?: GuardedConnections
}

/**
 * Fetches from an address that a user gave, without letting the user reach what only this server can reach: the address is
 * resolved and checked, that very address is connected to, and again for each redirect. Throws `FetchError`, or the reason of
 * `signal`; what is thrown otherwise is a mistake of the caller (a header with a line break). Any status is a response.
 *
 * Without `connections` every hop has a connection of its own: no request fails because the other side had just closed a
 * kept one. A proxy of the environment is not used: it would connect unchecked.
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

/** One request that was sent and the start of its response. */
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

/** Headers that this side of the connection makes itself. */
const FRAMING = /^(connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/

const firstHop = ({ url: text, method = 'GET', headers = {}, body }: GuardedRequest): HopRequest => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new FetchError('address_refused', 'It is not an http or https URL.')
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const own = Object.fromEntries(given.filter(([name]) => !FRAMING.test(name)))
  // A part of an encoded body cannot be decoded.
  const encodings = own.range === undefined ? ACCEPTED_ENCODINGS : 'identity'
  const defaults = { accept: '*/*', 'accept-encoding': encodings, 'user-agent': 'millrace', ...credentials(url) }
  return { url, method: method.toUpperCase(), headers: { ...defaults, ...own }, body: body ?? null }
}

/** Takes `user:password@` out of the URL. */
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
    response.body.on('error', ignore) // thrown where it is read; if it is not read, nobody is to be told
    return { hop, connection, response }
  } catch (error) {
    connection?.drop()
    throw explain(error, hop, deadline)
  }
}

/** Interim answers (1xx, RFC 9110, 15.2) before the one that is asked for: no silence, and no part of a body, so that nothing else ends a row of them. */
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

/** A response that has been read whole leaves its connection as it is, to be kept or not. */
const close = ({ connection, response }: Omit<Exchange, 'hop'>): void => {
  if (!response.body.readableEnded) response.body.destroy()
  connection.drop()
}

const ignore = (): void => {}
