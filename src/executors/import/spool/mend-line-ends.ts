import { createReadStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { type Dialect, keepsBlanks } from '../csv/dialect.ts'
import { withLastLineEnd } from './last-line-end.ts'
import { spoolContent } from './spool-content.ts'

const CR = 0x0d
const LF = 0x0a

/** Whether lines end with CR alone, as on old Macintoshes and in spreadsheets that write for them. Quoted values may contain any line end. */
export const hasLoneReturns = (sample: Buffer, dialect: Dialect): boolean => {
  if (!sample.includes(CR)) return false
  if (!sample.includes(LF)) return true
  if (dialect.quote === '') return false
  let returns = 0
  let feeds = 0
  const isOutside = createQuoteTracker(dialect)
  for (let at = 0; at < sample.length && feeds === 0; at++) {
    const byte = sample[at]!
    if (!isOutside(byte)) continue
    if (byte === CR) returns++
    if (byte === LF) feeds++
  }
  return returns > 0 && feeds === 0
}

/** Replaces the carriage returns that end a file's lines with line feeds, and ends the last line. */
export const mendLineEnds = async (path: string, dialect: Dialect): Promise<void> => {
  const mended = `${path}.mended`
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 })
  try {
    await spoolContent(mended, withLastLineEnd(replaced(file, dialect)))
    await rename(mended, path)
  } finally {
    file.destroy()
    await rm(mended, { force: true })
  }
}

async function* replaced(content: AsyncIterable<Uint8Array>, dialect: Dialect): AsyncGenerator<Uint8Array> {
  const mend = createReturnMender(dialect)
  for await (const chunk of content) {
    mend(chunk)
    yield chunk
  }
}

/** Same for bytes in place, which may arrive in parts. */
export const createReturnMender = (dialect: Dialect): ((bytes: Uint8Array) => void) => {
  const isOutside = createQuoteTracker(dialect)
  return bytes => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (isOutside(byte) && byte === CR) bytes[at] = LF
    }
  }
}

const SPACE = 0x20
const TAB = 0x09

/** Takes one byte after another and tells whether it is outside quotes. Only a quote at the start of a field opens them, as in `scanRecord`. */
const createQuoteTracker = (dialect: Dialect): ((byte: number) => boolean) => {
  const { delimiter, quote } = dialect
  const trims = !keepsBlanks(dialect)
  const between = delimiter.charCodeAt(0)
  const mark = quote === '' ? -1 : quote.charCodeAt(0)
  let isInside = false
  let isAtStart = true
  // Of a pair in quotes, the second opens them again: the pair is part of the value.
  let hasClosed = false
  return byte => {
    if (byte === mark) {
      const opens = !isInside && (isAtStart || hasClosed)
      hasClosed = isInside
      isInside = opens
      isAtStart = false
      return false
    }
    hasClosed = false
    if (isInside) return false
    isAtStart =
      byte === between || byte === CR || byte === LF || (trims && isAtStart && (byte === SPACE || byte === TAB))
    return true
  }
}
