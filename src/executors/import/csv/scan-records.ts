import { type Dialect, keepsBlanks } from './dialect.ts'

/**
 * A CSV record (RFC 4180) as ClickHouse's reader parses it. Spaces and tabs around an unquoted field are not part of it, unless one of them is the delimiter. A
 * quote within an unquoted field is a plain character. Only blanks may come between a closing quote and the delimiter or line end. A carriage return at the
 * beginning of a record belongs to the line end before it (LF CR).
 */
export type Scanned = {
  /** Where the next record begins. `broken`: where the fault is. */
  readonly end: number
  /** Lines of the file that it spans. */
  readonly lines: number
  readonly fields: number
  /** Fields up to the last one with a value; 0: all are empty. */
  readonly filled: number
  /**
   * `ok`; `blank`: a line with only white space; `broken`: something follows a closing quote; `open`: a quote is not closed by the end of the content; `cut`:
   * the bytes end before the record, and more may follow.
   */
  readonly type: 'ok' | 'blank' | 'broken' | 'open' | 'cut'
  /** The line of the record, from 1, with the unclosed quote; 0: none is open. */
  readonly openLine: number
  /** Where the field `edgeOf` ends, if others follow it. */
  readonly edge: number | null
  /** Where that field begins (or the last, if there are fewer), if it is unquoted. */
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
  /** The field, from 1, whose end to report. */
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
  /** The next line feed that has not been counted; -1: there is none. */
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
        // A new search after each pair of quotes would scan up to a distant line feed each time.
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
      // The last line may lack the LF of its CRLF.
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

/** Where the first field begins: after a carriage return, and after blanks before that if they are trimmed. */
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
