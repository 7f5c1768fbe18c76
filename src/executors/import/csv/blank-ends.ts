import { createReadStream } from 'node:fs'
import { type Dialect, keepsBlanks } from './dialect.ts'

const READ_BYTES = 1024 * 1024

/**
 * Whether a quoted value ends with a blank, or may. The engine's reader trims blanks from the end of a column's bytes, not just of the value. An empty value
 * that follows at the end of a line gets a negative length, and the engine crashes or hangs (ClickHouse 26.7, `readCSVStringInto`).
 */
export const hasBlankEnds = async (path: string, dialect: Dialect, signal: AbortSignal): Promise<boolean> => {
  if (dialect.quote === '' || keepsBlanks(dialect)) return false
  const ends = [' ', '\t'].map(blank => Buffer.from(blank + dialect.quote))
  let rest: Buffer = Buffer.alloc(0)
  for await (const part of createReadStream(path, { highWaterMark: READ_BYTES, signal })) {
    const bytes = Buffer.concat([rest, part as Buffer])
    if (ends.some(end => closesValue(bytes, end, dialect))) return true
    rest = bytes.subarray(-KEPT_BYTES)
  }
  return false
}

/** A blank and a quote, which may be split between two parts. */
const KEPT_BYTES = 2

const closesValue = (bytes: Buffer, end: Buffer, { delimiter }: Dialect): boolean => {
  for (let at = bytes.indexOf(end); at !== -1; at = bytes.indexOf(end, at + 1)) {
    const behind = bytes[at + end.length]
    // undefined: the byte may be in the next part. Blanks may follow a closing quote.
    if (behind === undefined || [delimiter, '\r', '\n', ' ', '\t'].some(one => one.charCodeAt(0) === behind))
      return true
  }
  return false
}
