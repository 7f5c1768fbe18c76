import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scryptSync } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Encrypts the secrets of jobs before they are stored, and derives the installation's other keys from the same secret key. */
export interface SecretBox {
  /** Encrypts the record with AES-256-GCM: 1 byte version, 12 bytes nonce, 16 bytes tag, then the ciphertext. */
  seal(record: Readonly<Record<string, string>>): Uint8Array
  /** Throws `WrongSecretKey` if the bytes were sealed with another key or modified. */
  open(bytes: Uint8Array): Record<string, string>
  /** A 256-bit key for one purpose, always the same for the same secret key (HKDF, RFC 5869). */
  deriveKey(purpose: string): Buffer
}

/** Sealed bytes that cannot be opened: another secret key, or corruption. */
export class WrongSecretKey extends Error {
  constructor() {
    super('A stored secret does not open with this key. Set MILLRACE_SECRET_KEY to the value it was stored under.')
    this.name = 'WrongSecretKey'
  }
}

const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES
/** One installation key serves every record, so there is no place to keep a salt; RFC 5869 allows a fixed one. */
const SALT = 'millrace'

/**
 * Opens the box with `MILLRACE_SECRET_KEY` (any text) or, if that is null, with the file `secret-key` (0600) of the data directory, which is created
 * on first start. Servers that share a database need the same secret key.
 */
export const openSecretBox = (options: { dataDir: string; secretKey: string | null }): SecretBox => {
  const root = options.secretKey === null ? keyFile(join(options.dataDir, 'secret-key')) : stretch(options.secretKey)
  const deriveKey = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', root, SALT, purpose, 32))
  const sealingKey = deriveKey('secrets of jobs')
  return { seal: record => seal(sealingKey, record), open: bytes => open(sealingKey, bytes), deriveKey }
}

const seal = (key: Buffer, record: Readonly<Record<string, string>>): Uint8Array => {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const body = Buffer.concat([cipher.update(JSON.stringify(record), 'utf8'), cipher.final()])
  return Buffer.concat([Uint8Array.of(VERSION), nonce, cipher.getAuthTag(), body])
}

const open = (key: Buffer, bytes: Uint8Array): Record<string, string> => {
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) throw new WrongSecretKey()
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, HEADER_BYTES))
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES)), decipher.final()]).toString('utf8')
    return JSON.parse(text)
  } catch {
    throw new WrongSecretKey()
  }
}

/** A key chosen by people may be weak: scrypt slows down guessing. Takes 0.1 s, once per start. */
const stretch = (text: string): Buffer => scryptSync(text, SALT, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 2 ** 20 })

const keyFile = (path: string): Buffer => readKey(path) ?? makeKey(path)

const readKey = (path: string): Buffer | null => {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
    if (key.length !== 32) throw new Error(`${path} is damaged: it must hold 256 bits in base64url.`)
    return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Written to a draft, flushed, then linked: concurrent starts never use two keys, and a crash never leaves half a key. */
const makeKey = (path: string): Buffer => {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${randomBytes(32).toString('base64url')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readKey(path)!
}
