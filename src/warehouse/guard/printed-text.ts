import { isUtf8 } from 'node:buffer'
import { tokenize } from './sql-tokens.ts'

/**
 * SQL as the engine printed it, from its bytes: those of its strings that are no UTF-8, which it prints bare, as the escapes (`\xFF`) that it reads back.
 * null: a name has such bytes.
 */
export const printedText = (bytes: Buffer): string | null => {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const parts: string[] = []
  for (let from = 0; from < bytes.length; ) {
    const character = bytes.subarray(from, from + lengthOf(bytes[from]!))
    const isOne = isUtf8(character)
    parts.push(isOne ? character.toString('utf8') : `\\x${bytes.toString('hex', from, from + 1).toUpperCase()}`)
    from += isOne ? character.length : 1
  }
  const text = parts.join('')
  // The engine itself prints no byte so.
  const isEscaped = tokenize(text).some(({ text: token, name }) => name !== null && BYTE.test(token))
  return isEscaped ? null : text
}

const BYTE = /^(?:[^\\]|\\[^x])*\\x/

/** Bytes of the character of UTF-8 that begins with this one. */
const lengthOf = (first: number): number => {
  if (first < 0xc0) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}
