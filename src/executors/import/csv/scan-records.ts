import type { Dialect } from './dialect.ts'

/**
 * Records of CSV after RFC 4180, as ClickHouse's reader takes it: spaces and tabs around a field that is not quoted are not
 * part of it; a quote within such a field means nothing; after a closing quote nothing but spaces may come before the delimiter or the end of the line.
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
}

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const TAB = 0x09

/** Scans one record from `start`. `isLast`: no more bytes follow these. */
export const scanRecord = (bytes: Buffer, start: number, dialect: Dialect, isLast: boolean): Scanned => {
  const delimiter = dialect.delimiter.charCodeAt(0)
  const quote = dialect.quote === '' ? -1 : dialect.quote.charCodeAt(0)
  const length = bytes.length
  let at = start
  let fields = 1
  let filled = 0
  let lines = 1
  for (;;) {
    while (at < length && (bytes[at] === SPACE || bytes[at] === TAB) && bytes[at] !== delimiter) at++
    if (at < length && bytes[at] === quote) {
      const openLine = lines
      const from = at + 1
      for (at++; ; at++) {
        const close = bytes.indexOf(quote, at)
        if (close === -1) return { type: isLast ? 'open' : 'cut', end: length, lines, fields, filled, openLine }
        lines += countByte(bytes, LF, at, close)
        at = close + 1
        if (at === length && !isLast) return { type: 'cut', end: length, lines, fields, filled, openLine }
        if (bytes[at] !== quote) break
      }
      if (at - 1 > from) filled = fields
      while (at < length && (bytes[at] === SPACE || bytes[at] === TAB) && bytes[at] !== delimiter) at++
      const next = bytes[at]
      // The very last line may have lost the other half of its end.
      if (next === CR && (bytes[at + 1] === LF || (isLast && at + 1 === length))) at++
      if (at < length && bytes[at] !== delimiter && bytes[at] !== LF)
        return { type: 'broken', end: at, lines, fields, filled, openLine: 0 }
    } else {
      const from = at
      while (at < length && bytes[at] !== delimiter && bytes[at] !== LF) at++
      if (!isBlank(bytes, from, at)) filled = fields
    }
    if (at >= length) {
      if (!isLast) return { type: 'cut', end: length, lines, fields, filled, openLine: 0 }
      const type = fields === 1 && isBlank(bytes, start, length) ? 'blank' : 'ok'
      return { type, end: length, lines, fields, filled, openLine: 0 }
    }
    if (bytes[at] === LF)
      return {
        type: fields === 1 && isBlank(bytes, start, at) ? 'blank' : 'ok',
        end: at + 1,
        lines,
        fields,
        filled,
        openLine: 0,
      }
    fields++
    at++
  }
}

const countByte = (bytes: Buffer, byte: number, from: number, to: number): number => {
  let count = 0
  for (let at = bytes.indexOf(byte, from); at !== -1 && at < to; at = bytes.indexOf(byte, at + 1)) count++
  return count
}

const isBlank = (bytes: Buffer, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (bytes[at] !== CR && bytes[at] !== SPACE && bytes[at] !== TAB) return false
  return true
}
