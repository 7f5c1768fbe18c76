import { type Dialect, keepsBlanks } from './dialect.ts'

/**
 * Records of CSV after RFC 4180, as ClickHouse's reader takes it: spaces and tabs around a field that is not quoted are not
 * part of it, unless fields are parted by such; a quote within such a field means nothing; after a closing quote nothing but spaces may come before the delimiter or the end of the line.
 * A carriage return at the beginning of a record is a part of the end of the line before it (LF CR).
 */
export type Scanned = {
  /** Where the next record begins. */
  readonly end: number
  /** Lines of the file that it takes. */
  readonly lines: number
  readonly fields: number
  /** Up to the last of them that has a value: all behind are empty. 0: none has one. */
  readonly filled: number
  /**
   * `ok`; `blank`: a line of nothing but space; `broken`: something follows a closing quote; `open`: its quote is not closed by the end of
   * the bytes; `cut`: the bytes end before its line does, and more of them may come.
   */
  readonly type: 'ok' | 'blank' | 'broken' | 'open' | 'cut'
  /** Lines from its beginning to where the quote was opened that is not closed; 0: none is open. */
  readonly openLine: number
  /** Where the field that was asked for ends, if others follow it. */
  readonly edge: number | null
  /** Where that field begins, or the last where there are fewer, if it is not in quotes. */
  readonly bare: number | null
}

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09

type Scan = {
  readonly start: number
  readonly dialect: Dialect
  /** No more bytes follow these. */
  readonly isLast: boolean
  /** The field whose end is asked for. */
  readonly edgeOf?: number
}

/** Scans one record. */
export const scanRecord = (bytes: Buffer, { start, dialect, isLast, edgeOf }: Scan): Scanned => {
  const delimiter = dialect.delimiter.charCodeAt(0)
  const quote = dialect.quote === '' ? -1 : dialect.quote.charCodeAt(0)
  const length = bytes.length
  const trims = !keepsBlanks(dialect)
  let at = recordStart(bytes, start, trims)
  let fields = 1
  let filled = 0
  let lines = 1
  /** The end of a line that has not been counted, at or behind any place where a quote was opened. */
  let lineEnd: number | null = null
  let edge: number | null = null
  let bare: number | null = null
  const found = (type: Scanned['type'], end: number, openLine = 0): Scanned => ({
    type,
    end,
    lines,
    fields,
    filled,
    openLine,
    edge,
    bare,
  })
  const whole = (to: number): 'blank' | 'ok' => (fields === 1 && isBlank(bytes, start, to, trims) ? 'blank' : 'ok')
  for (;;) {
    while (trims && at < length && (bytes[at] === SPACE || bytes[at] === TAB)) at++
    const isQuoted = at < length && bytes[at] === quote
    if (edge === null) bare = isQuoted ? null : at
    if (isQuoted) {
      const openLine = lines
      const from = at + 1
      for (at++; ; at++) {
        const close = bytes.indexOf(quote, at)
        if (close === -1) return found(isLast ? 'open' : 'cut', length, openLine)
        // Looked for anew behind each pair of quotes, the end of a line that is far away would be looked for from each.
        if (lineEnd === null || (lineEnd !== -1 && lineEnd < at)) lineEnd = bytes.indexOf(LF, at)
        while (lineEnd !== -1 && lineEnd < close) {
          lines++
          lineEnd = bytes.indexOf(LF, lineEnd + 1)
        }
        at = close + 1
        if (at === length && !isLast) return found('cut', length, openLine)
        if (bytes[at] !== quote) break
      }
      if (at - 1 > from) filled = fields
      while (trims && at < length && (bytes[at] === SPACE || bytes[at] === TAB)) at++
      const next = bytes[at]
      if (next === CR && at + 1 === length && !isLast) return found('cut', length)
      // The very last line may have lost the other half of its end.
      if (next === CR && (bytes[at + 1] === LF || (isLast && at + 1 === length))) at++
      if (at < length && bytes[at] !== delimiter && bytes[at] !== LF) return found('broken', at)
    } else {
      const from = at
      while (at < length && bytes[at] !== delimiter && bytes[at] !== LF) at++
      if (!isBlank(bytes, from, at, trims)) filled = fields
    }
    if (at >= length) return isLast ? found(whole(length), length) : found('cut', length)
    if (bytes[at] === LF) return found(whole(at), at + 1)
    if (fields === edgeOf) edge = at
    fields++
    at++
  }
}

/** Where the first field begins: behind a return, and the blanks before it where these are no part of a value. */
export const recordStart = (bytes: Buffer, start: number, trims: boolean): number => {
  let at = start
  while (trims && (bytes[at] === SPACE || bytes[at] === TAB)) at++
  return bytes[at] === CR ? at + 1 : start
}

const isBlank = (bytes: Buffer, from: number, to: number, trims: boolean): boolean => {
  for (let at = from; at < to; at++)
    if (bytes[at] !== CR && !(trims && (bytes[at] === SPACE || bytes[at] === TAB))) return false
  return true
}
