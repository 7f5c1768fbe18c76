import { open } from 'node:fs/promises'
import type { Dialect } from './dialect.ts'

const LOOK_BYTES = 4096
const MOST_BYTES = 200

/**
 * What a value ends with that a quote which is never closed has made of the rest of the file: the engine takes such a value without a word. It is what
 * follows the last quote of the file, for nothing in it can have been taken out. null: there is no such value. '': the last quote is the last byte, and
 * only who reads it all can tell.
 */
export const lastText = async (path: string, { quote, delimiter }: Dialect): Promise<string | null> => {
  if (quote === '') return null
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, LOOK_BYTES))
    await file.read(bytes, 0, bytes.length, size - bytes.length)
    const last = bytes.lastIndexOf(quote)
    // One that neither begins a value nor stands for itself behind another has closed what was open.
    if (last > 0 && !mayLeaveOpen(bytes[last - 1]!, [quote, delimiter])) return null
    const behind = bytes.subarray(last + 1)
    return withoutHalf(behind.subarray(Math.max(0, behind.length - MOST_BYTES))).toString('utf8')
  } finally {
    await file.close()
  }
}

/** Whether a quote behind this byte can be the first of a value, or the second of two; blanks before a value are passed over. */
const mayLeaveOpen = (byte: number, own: readonly string[]): boolean =>
  [...own, '\n', '\r', ' ', '\t'].some(character => character.charCodeAt(0) === byte)

/** Not beginning in the middle of a character. */
const withoutHalf = (bytes: Buffer): Buffer => {
  let from = 0
  while (from < Math.min(bytes.length, 4) && (bytes[from]! & 0xc0) === 0x80) from++
  return bytes.subarray(from)
}
