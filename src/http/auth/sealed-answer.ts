import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * An answer that contains a new token is stored for its `Idempotency-Key` only in encrypted form (AES-256-GCM). The key is derived from the caller's token, of
 * which the server stores only a hash.
 */
export const sealAnswer = (body: string, token: string): string => {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', keyOf(token), iv)
  const sealed = Buffer.concat([iv, cipher.update(body, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return JSON.stringify({ sealed: sealed.toString('base64') })
}

/** Decrypts the answer; null if the caller has another token. */
export const openAnswer = (kept: string, token: string): string | null => {
  const bytes = Buffer.from((JSON.parse(kept) as { sealed: string }).sealed, 'base64')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(token), bytes.subarray(0, IV_BYTES))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

const keyOf = (token: string): Buffer => hash('sha256', `millrace kept answer\0${token}`, 'buffer')
