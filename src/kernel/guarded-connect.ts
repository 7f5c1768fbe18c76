import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressRules } from './address-rules.ts'
import { FetchError } from './fetch-error.ts'

/** An address that a name resolves to; `family` is 4 or 6. */
export type Address = { readonly address: string; readonly family: number }

/** All addresses of a name, best first. */
export type Lookup = (hostname: string) => Promise<readonly Address[]>

export const lookupAll: Lookup = hostname => systemLookup(hostname, { all: true })

type ConnectOptions = {
  readonly rules: AddressRules
  readonly lookup: Lookup
  /** Covers everything from the lookup to the end of the TLS handshake. */
  readonly timeoutMs: number
}

/**
 * Opens sockets to permitted addresses only. The check sits in the socket's own lookup, so the address checked is the address connected to, and a
 * name that resolves differently the second time (DNS rebinding) gains nothing.
 */
export const guardedConnector = (options: ConnectOptions): buildConnector.connector => {
  const connect = buildConnector({
    timeout: options.timeoutMs,
    lookup: guardedLookup(options),
    autoSelectFamily: true,
    host: '',
    port: 0,
  })
  return (target, done) => {
    // Node skips the lookup for a literal address.
    const written = { address: target.hostname, family: isIP(target.hostname) }
    const fault = written.family === 0 ? null : refusal(options.rules, target.hostname, [written])
    if (fault !== null) process.nextTick(done, fault, null)
    else connect(target, done)
  }
}

const guardedLookup =
  ({ rules, lookup }: ConnectOptions): LookupFunction =>
  (hostname, { all }, done) => {
    lookup(hostname).then(
      addresses => {
        const fault = refusal(rules, hostname, addresses)
        const [first] = addresses
        if (fault !== null || first === undefined) done(fault, '', 0)
        else if (all) done(null, [...addresses])
        else done(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    )
  }

/**
 * Why a host that resolves to these addresses must not be connected to, or null. One forbidden address refuses the name: a mixed answer is how
 * attackers get around a guard that picks one of them.
 */
export const refusal = (rules: AddressRules, hostname: string, addresses: readonly Address[]): FetchError | null => {
  if (addresses.length === 0) return new FetchError('connection_failed', `${hostname} has no address.`)
  if (addresses.every(({ address }) => rules.permits(hostname, address))) return null
  return new FetchError('address_refused', `${hostname} leads to an address that is not public.`)
}
