import { createReadStream } from 'node:fs'
import { type Dialect, keepsBlanks } from './dialect.ts'

const READ_BYTES = 1024 * 1024

/**
 * Whether a value in quotes ends with a blank, or may: the engine's reader cuts blanks from the end of a column's bytes, not of the value alone.
 * Behind such a value one that is empty, at the end of a line, has less than no bytes, and the engine crashes, or never comes back (ClickHouse 26.7,
 * `readCSVStringInto`).
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

/** A blank and a quote, of which one is in the next part. */
const KEPT_BYTES = 2

const closesValue = (bytes: Buffer, end: Buffer, { delimiter }: Dialect): boolean => {
  for (let at = bytes.indexOf(end); at !== -1; at = bytes.indexOf(end, at + 1)) {
    const behind = bytes[at + end.length]
    // Nothing: it may stand in the next part. Blanks may follow the quote that closes a value.
    if (behind === undefined || [delimiter, '\r', '\n', ' ', '\t'].some(one => one.charCodeAt(0) === behind))
      return true
  }
  return false
}
