import { isIP } from 'node:net'
import { Client, type Dispatcher, Pool } from 'undici'
import type { AddressRules } from './address-rules.ts'
import { type Address, guardedConnector, type Lookup, lookupAll, refusal } from './guarded-connect.ts'

/** Where the guarded fetch gets its connections. */
export interface GuardedConnections {
  /** Throws `FetchError` `address_refused`, either here or at the request. */
  open(url: URL, limits: ConnectionLimits): Promise<GuardedConnection>
  /** Closes all connections. */
  close(): Promise<void>
}

export type ConnectionLimits = {
  readonly connectTimeoutMs: number
  /** Longest time the remote server may send nothing. */
  readonly idleTimeoutMs: number
}

/** A connection for one request. */
export type GuardedConnection = {
  request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
  /** Ends the request, and closes the connection if the response is incomplete. */
  drop(reason?: Error): void
}

type ConnectionOptions = { readonly rules: AddressRules; readonly lookup?: Lookup }

/** Opens a new connection for each request and closes it afterwards. */
export const freshConnections = ({ rules, lookup = lookupAll }: ConnectionOptions): GuardedConnections => ({
  open: async (url, { connectTimeoutMs, idleTimeoutMs }) => {
    const connect = guardedConnector({ rules, lookup, timeoutMs: connectTimeoutMs })
    const timeouts = { headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs }
    const client = new Client(url.origin, { connect, pipelining: 0, ...timeouts })
    return {
      request: options => client.request(options),
      // The signal of undici's request does not end a connection attempt; this does.
      drop: reason => void client.destroy(reason ?? null).catch(ignore),
    }
  },
  close: async () => {},
})

/** How long DNS answers are cached: a thousand requests a second must not cause a thousand lookups. */
const ANSWER_MS = 2_000
const CONNECT_MS = 5_000
/** Shorter than servers commonly keep an idle connection (5 s), so that our side closes it first. */
const KEPT_IDLE_MS = 3_000
const MAX_POOLS = 256

/**
 * Connections kept for the next request to the same origin, at most `perHost` per pool.
 *
 * Keeping them does not weaken the guard. Every request resolves its host and checks all resolved addresses against the rules. It then takes a
 * connection from the pool of exactly that origin *and* those addresses, whose sockets do no lookups of their own. So a kept connection always leads
 * to an address this request may connect to, and a name that resolves differently the next time (DNS rebinding) gets another pool or is refused.
 */
export const keptConnections = (options: ConnectionOptions & { readonly perHost: number }): GuardedConnections => {
  const { rules, perHost } = options
  const resolve = shortMemory(options.lookup ?? lookupAll, ANSWER_MS)
  const pools = new Map<string, Pool>()

  /** Evicts the least recently used pool. */
  const take = (url: URL, addresses: readonly Address[]): Pool => {
    const key = [url.origin, ...addresses.map(({ address }) => address).sort()].join(' ')
    const pool = pools.get(key) ?? newPool(url, { rules, lookup: async () => addresses, perHost })
    pools.delete(key)
    pools.set(key, pool)
    if (pools.size > MAX_POOLS) {
      const [oldest] = pools.keys()
      pools.get(oldest!)!.close().catch(ignore) // waits for its requests to end
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
    // The race is for requests still waiting for a connection: undici notices their abort only once they get one.
    request: options => Promise.race([pool.request({ ...options, ...limits }), ended]),
    drop: reason => ending.abort(reason ?? DROPPED),
  }
}

/** Created once: an error with a stack for each request would cost more than the rest of this file. */
const DROPPED = new Error('The response is not wanted.')

/** Caches answers for a short time. Failed lookups are not cached. */
const shortMemory = (lookup: Lookup, keptMs: number): Lookup => {
  const answers = new Map<string, { readonly answer: ReturnType<Lookup>; readonly until: number }>()
  return host => {
    const now = performance.now()
    const known = answers.get(host)
    if (known !== undefined && known.until > now) return known.answer
    for (const [name, { until }] of answers) {
      if (until > now) break // entries are in insertion order, oldest first
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
