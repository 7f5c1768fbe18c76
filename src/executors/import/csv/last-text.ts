import { open } from 'node:fs/promises'
import type { Dialect } from './dialect.ts'

const LOOK_BYTES = 4096
const MOST_BYTES = 200

/**
 * What a value ends with that a quote which is never closed has made of the rest of the file: the engine takes such a value without a word. It is what
 * follows the last quote of the file, for nothing in it can have been taken out. null: there are no quotes in this dialect. '': the last quote is
 * the last byte, and only who reads it all can tell.
 */
export const lastText = async (path: string, { quote }: Dialect): Promise<string | null> => {
  if (quote === '') return null
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, LOOK_BYTES))
    await file.read(bytes, 0, bytes.length, size - bytes.length)
    const behind = bytes.subarray(bytes.lastIndexOf(quote) + 1)
    return withoutHalf(behind.subarray(Math.max(0, behind.length - MOST_BYTES))).toString('utf8')
  } finally {
    await file.close()
  }
}

/** Not beginning in the middle of a character. */
const withoutHalf = (bytes: Buffer): Buffer => {
  let from = 0
  while (from < Math.min(bytes.length, 4) && (bytes[from]! & 0xc0) === 0x80) from++
  return bytes.subarray(from)
}
