import { isIP } from 'node:net'
import { Client, type Dispatcher, Pool } from 'undici'
import type { AddressRules } from './address-rules.ts'
import { type Address, guardedConnector, type Lookup, lookupAll, refusal } from './guarded-connect.ts'

/** Where the guarded fetch gets the connection of a request from. */
export interface GuardedConnections {
  /** Throws `FetchError` `address_refused`, now or at the request. */
  open(url: URL, limits: ConnectionLimits): Promise<GuardedConnection>
  /** Ends all there are. */
  close(): Promise<void>
}

export type ConnectionLimits = {
  readonly connectTimeoutMs: number
  /** The longest silence of the other server. */
  readonly idleTimeoutMs: number
}

/** For one request. */
export type GuardedConnection = {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** Ends the request, and the connection when its response is not whole. */
  drop(reason?: Error): void
}

type ConnectionOptions = { readonly rules: AddressRules; readonly lookup?: Lookup }

/** A new connection for each request, ended with it. */
export const freshConnections = ({ rules, lookup = lookupAll }: ConnectionOptions): GuardedConnections => ({
  open: async (url, { connectTimeoutMs, idleTimeoutMs }) => {
    const connect = guardedConnector({ rules, lookup, timeoutMs: connectTimeoutMs })
    const timeouts = { headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs }
    const client = new Client(url.origin, { connect, pipelining: 0, ...timeouts })
    return {
      request: options => client.request(options),
      // The signal of undici's request does not end a connection that is still being made; this does.
      drop: reason => void client.destroy(reason ?? null).catch(ignore),
    }
  },
  close: async () => {},
})

/** Answers of DNS are used again for so long: a thousand requests a second must not be a thousand lookups. */
const ANSWER_MS = 2_000
const CONNECT_MS = 5_000
/** Shorter than what servers commonly keep an idle connection for (5 s), so that we are the ones who close. */
const KEPT_IDLE_MS = 3_000
const MAX_POOLS = 256

/**
 * Connections that are kept for the next request to the same origin, at most `perHost` of each.
 *
 * Keeping them does not weaken the guard. Every request resolves its host and checks every address of the answer against the
 * rules; then it gets a connection out of the pool of just that origin *and* just those addresses, whose sockets look nothing
 * up themselves. So a kept connection always leads to an address that this request would be allowed to connect to, and a
 * name that answers differently the next time (DNS rebinding) gets another pool, or is refused.
 */
export const keptConnections = (options: ConnectionOptions & { readonly perHost: number }): GuardedConnections => {
  const { rules, perHost } = options
  const resolve = shortMemory(options.lookup ?? lookupAll, ANSWER_MS)
  const pools = new Map<string, Pool>()

  /** The one used longest ago goes first. */
  const take = (url: URL, addresses: readonly Address[]): Pool => {
    const key = [url.origin, ...addresses.map(({ address }) => address).sort()].join(' ')
    const pool = pools.get(key) ?? newPool(url, { rules, lookup: async () => addresses, perHost })
    pools.delete(key)
    pools.set(key, pool)
    if (pools.size > MAX_POOLS) {
      const [oldest] = pools.keys()
      pools.get(oldest!)!.close().catch(ignore) // when its requests have ended
      pools.delete(oldest!)
    }
    return pool
  }

  return {
    open: async (url, { idleTimeoutMs }) => {
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
      const addresses = isIP(host) === 0 ? await resolve(host) : [{ address: host, family: isIP(host) }]
      const fault = refusal(rules, host, addresses)
      if (fault !== null) throw fault
      return onPool(take(url, addresses), idleTimeoutMs)
    },
    close: async () => {
      await Promise.all([...pools.values()].map(pool => pool.destroy()))
      pools.clear()
    },
  }
}

const newPool = (url: URL, { rules, lookup, perHost }: Required<ConnectionOptions> & { perHost: number }): Pool =>
  new Pool(url.origin, {
    connect: guardedConnector({ rules, lookup, timeoutMs: CONNECT_MS }),
    connections: perHost,
    pipelining: 1,
    keepAliveTimeout: KEPT_IDLE_MS,
    keepAliveMaxTimeout: KEPT_IDLE_MS,
  })

const onPool = (pool: Pool, idleTimeoutMs: number): GuardedConnection => {
  const ending = new AbortController()
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener('abort', () => reject(ending.signal.reason), { once: true })
  })
  ended.catch(ignore)
  const limits = { headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs, signal: ending.signal }
  return {
    // The race is for requests that still wait for a connection: undici notices their abort only when they get it.
    request: options => Promise.race([pool.request({ ...options, ...limits }), ended]),
    drop: reason => ending.abort(reason ?? DROPPED),
  }
}

/** Made once: an error with its stack for each request would cost more than the rest of this file. */
const DROPPED = new Error('The response is not wanted.')

/** Remembers answers for a short time. What failed is asked again. */
const shortMemory = (lookup: Lookup, keptMs: number): Lookup => {
  const answers = new Map<string, { readonly answer: ReturnType<Lookup>; readonly until: number }>()
  return host => {
    const now = performance.now()
    const known = answers.get(host)
    if (known !== undefined && known.until > now) return known.answer
    for (const [name, { until }] of answers) {
      if (until > now) break // oldest first
      answers.delete(name)
    }
    const answer = lookup(host)
    answers.delete(host)
    answers.set(host, { answer, until: now + keptMs })
    answer.catch(() => answers.delete(host))
    return answer
  }
}

const ignore = (): void => {}
