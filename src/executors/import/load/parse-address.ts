import type { Parsed } from './parse-number.ts'

/**
 * The engine also reads three colons as two, and accepts two next to all eight groups, where they stand for none. Neither is an address (RFC 4291, 2.2). It
 * reads an IPv4 address as `::ffff:1.2.3.4`.
 */
export const parseIPv6 = (text: string): Parsed => {
  const isFull = `match(${text}, '^:*([0-9a-fA-F]+:+){7}[0-9a-fA-F]|^:*([0-9a-fA-F]+:+){6}[0-9]+[.]')`
  return {
    value: `accurateCastOrNull(${text}, 'IPv6')`,
    isOdd: `(position(${text}, ':::') > 0 OR (position(${text}, '::') > 0 AND ${isFull}))`,
  }
}
