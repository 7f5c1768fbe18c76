import { isUtf8 } from 'node:buffer'
import { tokenize } from './sql-tokens.ts'

/**
 * Decodes SQL that the engine printed. It prints bytes in strings raw even if they are not UTF-8; those become escapes (`\xFF`), which it can read back. null:
 * a name contains such bytes.
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
  // The engine itself never prints such an escape.
  const isEscaped = tokenize(text).some(({ text: token, name }) => name !== null && BYTE.test(token))
  return isEscaped ? null : text
}

const BYTE = /^(?:[^\\]|\\[^x])*\\x/

/** The length of the UTF-8 character that starts with this byte. */
const lengthOf = (first: number): number => {
  if (first < 0xc0) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}
