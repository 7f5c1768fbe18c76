import { randomBytes, randomUUIDv7 } from 'node:crypto'

/** A UUIDv7 (RFC 9562): sorts by creation time, to the millisecond. */
export const newId = (): string => randomUUIDv7()

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a text is a UUID in canonical lower-case form; nothing stored has any other id. */
export const isId = (text: string): boolean => UUID.test(text)

/** A random 256-bit secret in URL-safe characters, after a prefix that names its kind. */
export const newSecret = (prefix: string): string => `${prefix}${randomBytes(32).toString('base64url')}`
