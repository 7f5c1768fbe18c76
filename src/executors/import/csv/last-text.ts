import { open } from 'node:fs/promises'
import type { Dialect } from './dialect.ts'

const LOOK_BYTES = 4096
const MOST_BYTES = 200

/**
 * If a quote is never closed, its value is the rest of the file, which the engine silently accepts. Returns how such a value would end: with what follows the
 * file's last quote, which contains nothing to unescape. null: there is no such value. '': the last quote is the last byte, and only a full read can tell.
 */
export const lastText = async (path: string, { quote, delimiter }: Dialect): Promise<string | null> => {
  if (quote === '') return null
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, LOOK_BYTES))
    await file.read(bytes, 0, bytes.length, size - bytes.length)
    const last = bytes.lastIndexOf(quote)
    // A quote that neither begins a value nor follows another quote has closed one.
    if (last > 0 && !mayLeaveOpen(bytes[last - 1]!, [quote, delimiter])) return null
    const behind = bytes.subarray(last + 1)
    return withoutHalf(behind.subarray(Math.max(0, behind.length - MOST_BYTES))).toString('utf8')
  } finally {
    await file.close()
  }
}

/** Whether a quote after this byte can open a value or be the second of a pair. Blanks before a value are skipped. */
const mayLeaveOpen = (byte: number, own: readonly string[]): boolean =>
  [...own, '\n', '\r', ' ', '\t'].some(character => character.charCodeAt(0) === byte)

/** Drops a partial character at the beginning. */
const withoutHalf = (bytes: Buffer): Buffer => {
  let from = 0
  while (from < Math.min(bytes.length, 4) && (bytes[from]! & 0xc0) === 0x80) from++
  return bytes.subarray(from)
}
