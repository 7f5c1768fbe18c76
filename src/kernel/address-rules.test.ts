import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAddressRules } from './address-rules.ts'

const publicOnly = parseAddressRules('false')
const isPublic = (address: string) => publicOnly.permits('host.example', address)

const ipv4 = (bits: bigint): string => [24n, 16n, 8n, 0n].map(shift => (bits >> shift) & 255n).join('.')
const ipv6 = (bits: bigint): string =>
  Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':')

/** First and last address of every range that must be refused, written by hand as 32-bit numbers. */
const REFUSED_IPV4: readonly (readonly [number, number])[] = [
  [0x00000000, 0x00ffffff],
  [0x0a000000, 0x0affffff],
  [0x64400000, 0x647fffff],
  [0x7f000000, 0x7fffffff],
  [0xa83f8110, 0xa83f8110],
  [0xa9fe0000, 0xa9feffff],
  [0xac100000, 0xac1fffff],
  [0xc0000000, 0xc00000ff],
  [0xc0000200, 0xc00002ff],
  [0xc0586300, 0xc05863ff],
  [0xc0a80000, 0xc0a8ffff],
  [0xc6120000, 0xc613ffff],
  [0xc6336400, 0xc63364ff],
  [0xcb007100, 0xcb0071ff],
  [0xe0000000, 0xffffffff],
]
const refusedIpv4 = (bits: bigint) =>
  REFUSED_IPV4.some(([first, last]) => BigInt(first) <= bits && bits <= BigInt(last))

/** The same for IPv6: everything except 2000::/3, and four ranges inside it. */
const refusedIpv6 = (bits: bigint) => {
  const within = (base: bigint, prefix: bigint) => bits >> (128n - prefix) === base
  if (!within(0b001n, 3n)) return true
  return within(0x20010000n >> 9n, 23n) || within(0x20010db8n, 32n) || within(0x2002n, 16n) || within(0x3fff0n, 20n)
}

describe('without exceptions exactly the public addresses are permitted', () => {
  test('IPv4: random addresses, and every boundary', () => {
    const borders = REFUSED_IPV4.flatMap(([first, last]) => [first - 1, first, last, last + 1])
    const addresses = fc.oneof(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(...borders.filter(bits => bits >= 0 && bits <= 0xffffffff)),
    )
    fc.assert(
      fc.property(addresses, number => {
        expect(isPublic(ipv4(BigInt(number)))).toBe(!refusedIpv4(BigInt(number)))
      }),
      { numRuns: 3000 },
    )
  })

  test('IPv4: every address inside a reserved range is refused', () => {
    const inside = fc
      .constantFrom(...REFUSED_IPV4)
      .chain(([first, last]) => fc.integer({ min: first, max: last }).map(BigInt))
    fc.assert(
      fc.property(inside, bits => {
        expect(isPublic(ipv4(bits))).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  test('IPv6: random addresses below every prefix with a meaning', () => {
    const PREFIXES = [0x0n, 0x64ff9bn << 8n, 0x100n << 16n, 0x2000n << 16n, 0x20010000n, 0x20010db8n, 0x20010dc0n]
    const MORE = [0x20020000n, 0x20030000n, 0x26064700n, 0x3fff0000n, 0x3fff1000n, 0x5f000000n, 0xfc000000n]
    const LAST = [0xfd000000n, 0xfe800000n, 0xfec00000n, 0xff020000n]
    const addresses = fc
      .tuple(fc.constantFrom(...PREFIXES, ...MORE, ...LAST), fc.bigInt({ min: 0n, max: 2n ** 96n - 1n }))
      .map(([prefix, rest]) => (prefix << 96n) | rest)
    const any = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n })
    fc.assert(
      fc.property(fc.oneof(addresses, any), bits => {
        expect(isPublic(ipv6(bits))).toBe(!refusedIpv6(bits))
      }),
      { numRuns: 3000 },
    )
  })

  test('no IPv4 address, private or public, is permitted inside an IPv6 one', () => {
    const wrap = (text: string) => [
      `::ffff:${text}`,
      `::${text}`,
      `64:ff9b::${text}`,
      `64:ff9b:1::${text}`,
      `::ffff:0:${text}`,
    ]
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), number => {
        const hex = number.toString(16).padStart(8, '0')
        const pair = `${hex.slice(0, 4)}:${hex.slice(4)}`
        const teredoAnd6to4 = [`2002:${pair}::1`, `2001:0:${pair}::1`]
        for (const address of [...wrap(ipv4(BigInt(number))), ...teredoAnd6to4]) expect(isPublic(address)).toBe(false)
      }),
    )
  })

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    '%s is public',
    address => expect(isPublic(address)).toBe(true),
  )

  test.each([
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    '255.255.255.255',
    '::',
    '::1',
    '0.0.0.0',
  ])('%s is not public', address => expect(isPublic(address)).toBe(false))

  test.each(['', 'localhost', '127.1', '0x7f.0.0.1', 'fe80::1%eth0', '[::1]'])(
    'an invalid address, %j, is refused',
    text => {
      expect(isPublic(text)).toBe(false)
    },
  )
})

describe('exceptions', () => {
  test('true permits every address', () => {
    for (const address of ['127.0.0.1', '169.254.169.254', '::1']) {
      expect(parseAddressRules(' true ').permits('x', address)).toBe(true)
    }
  })

  test('a range permits the addresses in it and no others', () => {
    const rules = parseAddressRules('10.1.0.0/16, fd00::/8,127.0.0.1')
    const answers = ['10.1.2.3', '10.2.0.1', 'fd12::1', 'fe80::1', '127.0.0.1', '127.0.0.2', '8.8.8.8'].map(address =>
      rules.permits('x', address),
    )
    expect(answers).toEqual([true, false, true, false, true, false, true])
  })

  test('a host name permits its addresses, in any spelling, and no other host', () => {
    const rules = parseAddressRules('DB.internal,bücher.example')
    expect(rules.permits('db.internal', '10.0.0.1')).toBe(true)
    expect(rules.permits('db.internal.', '10.0.0.1')).toBe(true)
    expect(rules.permits('xn--bcher-kva.example', '10.0.0.1')).toBe(true)
    expect(rules.permits('other.internal', '10.0.0.1')).toBe(false)
    expect(rules.permits('a.db.internal', '10.0.0.1')).toBe(false)
  })

  test.each(['', 'false', ' false '])('%j permits no private address', text => {
    expect(parseAddressRules(text).permits('localhost', '127.0.0.1')).toBe(false)
  })

  test.each([
    'yes please',
    'true,10.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '10.0.0.0/8/8',
    '::1/129',
    '127.1',
    '2130706433',
    'db.internal:5432',
    '*.internal',
    'http://db.internal',
    'db.internal/8',
    '10.0.0.0/8,,',
    '[::1]',
  ])('%j is refused with a valid form', text => {
    expect(() => parseAddressRules(text)).toThrow(/comma list of host names, addresses and CIDR ranges/)
  })
})
