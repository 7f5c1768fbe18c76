import { countedColumns } from '../csv/counted-columns.ts'
import { type Dialect, keepsBlanks } from '../csv/dialect.ts'
import { recordStart, type Scanned, scanRecord } from '../csv/scan-records.ts'
import { ReadWindow } from './read-window.ts'
import { InvalidLines, LONGEST_RECORD, type SieveReport, TOO_LONG } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

export type CsvSieve = {
  readonly dialect: Dialect
  /** The number of fields that a record must have. */
  readonly fields: number
  /** The number it may have if the surplus ones are empty. */
  readonly most: number
  /** Lines of the original file before this one begins. */
  readonly linesBefore: number
  /** Lines of the header, which are skipped. */
  readonly skipLines: number
  /** Stops after this many invalid lines; null: finds all. */
  readonly stopAfter: number | null
}

/**
 * Passes on records that can be read and have the right number of fields, not counting empty ones at the end. After an unreadable record, resumes on the line
 * after the one where it began: a stray quote costs one line, not everything up to the next quote. Constant memory: a record is at most 16 MiB.
 */
export const sieveCsv = (input: number, output: number | null, sieve: CsvSieve): SieveReport => {
  const { dialect, linesBefore, skipLines, stopAfter } = sieve
  const window = new ReadWindow(input, linesBefore)
  const writer = createRunWriter(output)
  const invalid = new InvalidLines()
  while (window.line <= linesBefore + skipLines && !window.isAtEnd) window.skipLine()
  while (!window.isAtEnd && (stopAfter === null || invalid.count < stopAfter)) {
    const scanned = scanRecord(window.bytes, { start: 0, dialect, isLast: window.isLast, edgeOf: sieve.fields })
    if (needsMore(scanned, window)) {
      window.more()
      continue
    }
    if (scanned.openLine > 0) return { type: 'open', line: window.line + scanned.openLine - 1 }
    const fault = faultOf(scanned, sieve)
    if (scanned.type === 'broken' || scanned.type === 'cut') {
      invalid.add(window.line, window.currentLine.bytes, fault!)
      window.skipLine()
      continue
    }
    const record = window.bytes.subarray(0, scanned.end)
    if (fault !== null) invalid.add(window.line, record, fault)
    else if (!isNothing(scanned, sieve)) writer.write(shapedRecord(record, scanned, sieve))
    window.skip(scanned.end, scanned.lines)
  }
  writer.flush()
  return invalid.report()
}

/** The record, or the line to be dropped for it, does not end within the bytes. */
const needsMore = ({ type }: Scanned, window: ReadWindow): boolean => {
  if (window.bytes.length >= LONGEST_RECORD) return false
  return type === 'cut' || (type === 'broken' && !window.currentLine.isWhole)
}

/** `""` is a value of a single column, but nothing in several. */
const isNothing = ({ type, fields, filled }: Scanned, sieve: CsvSieve): boolean =>
  type === 'blank' || (fields === 1 && filled === 0 && sieve.fields > 1)

const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const LINE_FEED = Buffer.from('\n')

/**
 * Drops surplus empty fields if there are quotes. Completes the line end of the last line: blanks before a partial one would be kept. Drops the carriage return
 * that ends the line before, which may be missing here.
 */
const shapedRecord = (record: Buffer, { edge, filled, bare }: Scanned, { dialect, fields }: CsvSieve): Buffer => {
  const { quote } = dialect
  const start = recordStart(record, 0, !keepsBlanks(dialect))
  // Of two, the engine reads the first as part of that line end.
  const from = start > 0 && record[start] === CR ? start - 1 : start
  // Otherwise it would be a blank line.
  if (quote !== '' && edge !== null && fields === 1 && filled === 0) return Buffer.from(`${quote}${quote}\n`)
  const isWhole = record.at(-1) === LF && (edge === null || quote === '')
  const to = quote === '' ? lineEnd(record) : (edge ?? lineEnd(record))
  if (quote !== '' && bare !== null && bare < to && hasReturnAtEnds(record, bare, to))
    return Buffer.concat([record.subarray(from, bare), quoted(record.subarray(bare, to), dialect), LINE_FEED])
  return isWhole ? record.subarray(from) : Buffer.concat([record.subarray(from, to), LINE_FEED])
}

/** Where the line's text ends, even before a partial line end. */
const lineEnd = (record: Buffer): number => {
  const to = record.at(-1) === LF ? record.length - 1 : record.length
  return record[to - 1] === CR ? to - 1 : to
}

/** The engine's strict reader takes a return at the start as an empty value without a line end, and one at the end as part of the line end. */
const hasReturnAtEnds = (record: Buffer, from: number, to: number): boolean =>
  record[from] === CR || record[to - 1] === CR

/** Quotes an unquoted value. */
const quoted = (value: Buffer, dialect: Dialect): Buffer => {
  const { quote } = dialect
  let to = value.length
  while (!keepsBlanks(dialect) && (value[to - 1] === SPACE || value[to - 1] === TAB)) to--
  const text = value.toString('latin1', 0, to).replaceAll(quote, quote + quote)
  return Buffer.from(`${quote}${text}${quote}`, 'latin1')
}

const faultOf = (scanned: Scanned, sieve: CsvSieve): string | null => {
  const { type, fields, filled } = scanned
  if (type === 'cut') return TOO_LONG
  if (type === 'broken') return 'has something behind a closing quote'
  if (isNothing(scanned, sieve)) return null
  if (fields >= sieve.fields && fields <= sieve.most && filled <= sieve.fields) return null
  return `has ${countedColumns(fields)}, not ${sieve.fields}`
}
