import { countedColumns } from '../csv/counted-columns.ts'
import { type Dialect, keepsBlanks } from '../csv/dialect.ts'
import { recordStart, type Scanned, scanRecord } from '../csv/scan-records.ts'
import { ReadWindow } from './read-window.ts'
import { InvalidLines, LONGEST_RECORD, type SieveReport, TOO_LONG } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

export type CsvSieve = {
  readonly dialect: Dialect
  /** What a record must have. */
  readonly fields: number
  /** What it may have, if those that are too much are empty. */
  readonly most: number
  /** Lines that the file had before its first one here. */
  readonly linesBefore: number
  /** Lines of the header, which are left out. */
  readonly skipLines: number
  /** How many invalid lines are enough; null: all are to be found. */
  readonly stopAfter: number | null
}

/**
 * Passes on the records that can be read and have the right number of fields, empty ones at the end aside. After what cannot be read it goes on in the line after the one where
 * that began: a stray quote costs one line, not all up to the next quote. Constant memory: a record is at most 16 MiB.
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

/** The record does not end among the bytes, or the line does not that is dropped for it. */
const needsMore = ({ type }: Scanned, window: ReadWindow): boolean => {
  if (window.bytes.length >= LONGEST_RECORD) return false
  return type === 'cut' || (type === 'broken' && !window.currentLine.isWhole)
}

/** `""` is a value of one column, and none of several. */
const isNothing = ({ type, fields, filled }: Scanned, sieve: CsvSieve): boolean =>
  type === 'blank' || (fields === 1 && filled === 0 && sieve.fields > 1)

const CR = 0x0d
const LF = 0x0a
const SPACE = 0x20
const TAB = 0x09
const LINE_FEED = Buffer.from('\n')

/**
 * Where there are quotes without the fields that are too much, and are empty; the last line with an end that is whole: blanks before another are kept. Without the return that
 * ends the line before it, which may be none here.
 */
const shapedRecord = (record: Buffer, { edge, filled, bare }: Scanned, { dialect, fields }: CsvSieve): Buffer => {
  const { quote } = dialect
  const start = recordStart(record, 0, !keepsBlanks(dialect))
  // Of two the engine takes the first for a part of that end.
  const from = start > 0 && record[start] === CR ? start - 1 : start
  // Else it would be a blank line.
  if (quote !== '' && edge !== null && fields === 1 && filled === 0) return Buffer.from(`${quote}${quote}\n`)
  const isWhole = record.at(-1) === LF && (edge === null || quote === '')
  const to = quote === '' ? lineEnd(record) : (edge ?? lineEnd(record))
  if (quote !== '' && bare !== null && bare < to && hasReturnAtEnds(record, bare, to))
    return Buffer.concat([record.subarray(from, bare), quoted(record.subarray(bare, to), dialect), LINE_FEED])
  return isWhole ? record.subarray(from) : Buffer.concat([record.subarray(from, to), LINE_FEED])
}

/** Where the line ends, half an end too. */
const lineEnd = (record: Buffer): number => {
  const to = record.at(-1) === LF ? record.length - 1 : record.length
  return record[to - 1] === CR ? to - 1 : to
}

/** The engine's strict reader takes the first for an empty value and no end of a line, and the last for a part of the end. */
const hasReturnAtEnds = (record: Buffer, from: number, to: number): boolean =>
  record[from] === CR || record[to - 1] === CR

/** A value that was in no quotes. */
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
