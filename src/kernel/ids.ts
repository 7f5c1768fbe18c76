import { randomBytes, randomUUIDv7 } from 'node:crypto'

/** A UUIDv7 (RFC 9562): ids made later sort later, to the millisecond. */
export const newId = (): string => randomUUIDv7()

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID in its canonical lower-case form; anything else cannot be the id of something stored. */
export const isId = (text: string): boolean => UUID.test(text)

/** A random secret of 256 bits in URL-safe characters, after a prefix that says what it is. */
export const newSecret = (prefix: string): string => `${prefix}${randomBytes(32).toString('base64url')}`
