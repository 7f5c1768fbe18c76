import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'

/** Which addresses the server may connect to on a user's behalf. */
export interface AddressRules {
  /** The text as configured, for JSON and logs. */
  toJSON(): string
  toString(): string
  /** `host` as in a URL (lower case, no brackets); `address` is the IPv4 or IPv6 address it resolves to. */
  permits(host: string, address: string): boolean
}

const FORM =
  'true, false, or a comma list of host names, addresses and CIDR ranges, for example "10.0.0.0/8,db.internal" (no ports, no wildcards)'

/**
 * Parses `MILLRACE_ALLOW_PRIVATE_ADDRESSES`. `false` or empty: public addresses only. `true`: every address. A list: public addresses, those in its
 * ranges, and whatever the named hosts resolve to. Throws an Error that describes a valid value.
 */
export const parseAddressRules = (text: string): AddressRules => {
  const trimmed = text.trim()
  const shown = { toJSON: () => trimmed, toString: () => trimmed }
  if (trimmed === 'true') return { ...shown, permits: () => true }
  const allowed = { hosts: new Set<string>(), ranges: new BlockList() }
  if (trimmed !== '' && trimmed !== 'false') for (const entry of trimmed.split(',')) allow(allowed, entry.trim())
  return {
    ...shown,
    permits: (host, address) =>
      isPublic(address) || allowed.hosts.has(canonicalHost(host)) || allowed.ranges.check(address, familyOf(address)),
  }
}

type Allowed = { readonly hosts: Set<string>; readonly ranges: BlockList }

const allow = (allowed: Allowed, entry: string): void => {
  const [base = '', prefix, ...rest] = entry.split('/')
  if (rest.length > 0) throw new Error(FORM)
  if (isIP(base) === 0) allowed.hosts.add(hostName(base, prefix))
  else if (prefix === undefined) allowed.ranges.addAddress(base, familyOf(base))
  else allowed.ranges.addSubnet(base, prefixLength(base, prefix), familyOf(base))
}

/** Accepts a real host name only: `true` inside a list or `127.1` would be read as a host and never match what the user meant. */
const hostName = (text: string, prefix: string | undefined): string => {
  const ascii = domainToASCII(text)
  const isName = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(ascii) && isIP(ascii) === 0
  if (prefix !== undefined || !isName || ascii === 'true' || ascii === 'false') throw new Error(FORM)
  return canonicalHost(ascii)
}

const prefixLength = (base: string, text: string): number => {
  const longest = isIP(base) === 4 ? 32 : 128
  if (!/^\d{1,3}$/.test(text) || Number(text) > longest) throw new Error(FORM)
  return Number(text)
}

const canonicalHost = (host: string): string => host.toLowerCase().replace(/\.$/, '')

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** IANA's IPv4 special-purpose registry (RFC 6890) without its globally reachable entries, plus multicast and Azure's host address. */
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8], // this host
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; metadata of Alibaba
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // Azure's virtual machine host
  ['169.254.0.0', 16], // link-local; metadata of most clouds
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; metadata of Oracle
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const

/**
 * IANA has allocated only 2000::/3 as global unicast, so everything else is refused: loopback, `::`, unique local, link-local, multicast, and
 * addresses that embed an IPv4 address (mapped, compatible, NAT64). SPECIAL_IPV6 lists the exceptions inside 2000::/3.
 */
const GLOBAL_IPV6 = ['2000::', 3] as const
const SPECIAL_IPV6 = [
  ['2001::', 23], // protocol assignments, including Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
] as const

const ranges = (family: 'ipv4' | 'ipv6', list: readonly (readonly [string, number])[]): BlockList => {
  const result = new BlockList()
  for (const [base, prefix] of list) result.addSubnet(base, prefix, family)
  return result
}

const special = { ipv4: ranges('ipv4', SPECIAL_IPV4), ipv6: ranges('ipv6', SPECIAL_IPV6) }
const globalIpv6 = ranges('ipv6', [GLOBAL_IPV6])

/** Whether an address belongs to the public internet. False for text that is not an address. */
const isPublic = (address: string): boolean => {
  switch (isIP(address)) {
    case 4:
      return !special.ipv4.check(address)
    case 6:
      return globalIpv6.check(address, 'ipv6') && !special.ipv6.check(address, 'ipv6')
    default:
      return false
  }
}
