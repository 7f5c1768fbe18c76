import type { Dialect } from '../csv/dialect.ts'
import { scanRecord } from '../csv/scan-records.ts'
import { ReadWindow } from './read-window.ts'
import { type InvalidLine, LONGEST_RECORD, MOST_SAMPLES, type SieveReport, toInvalidLine } from './sieve-report.ts'
import { createRunWriter } from './write-runs.ts'

export type CsvSieve = {
  readonly dialect: Dialect
  /** What a record must have. */
  readonly fields: number
  /** Lines of the header, which are left out. */
  readonly skipLines: number
  /** How many invalid lines are enough; null: all are to be found. */
  readonly stopAfter: number | null
}

/**
 * Passes on the records that can be read and have the right number of fields. After what cannot be read it goes on in the line after the one where
 * that began: a stray quote costs one line, not all up to the next quote. Constant memory: a record is at most 16 MiB.
 */
export const sieveCsv = (input: number, output: number | null, sieve: CsvSieve): SieveReport => {
  const { dialect, fields, skipLines, stopAfter } = sieve
  const window = new ReadWindow(input)
  const writer = createRunWriter(output)
  const samples: InvalidLine[] = []
  let invalid = 0
  let line = 1

  const drop = (bytes: Uint8Array, why: string): void => {
    invalid += 1
    if (samples.length < MOST_SAMPLES) samples.push(toInvalidLine(line, bytes, why))
  }

  /** Goes on behind the end of the line; gives false when it is not among the bytes yet. */
  const skipLine = (): boolean => {
    const end = window.bytes.indexOf(0x0a)
    if (end === -1 && !window.isLast) return false
    window.skip(end === -1 ? window.bytes.length : end + 1)
    line += 1
    return true
  }

  while (line <= skipLines && window.bytes.length > 0) if (!skipLine()) window.more()
  while (window.bytes.length > 0 || !window.isLast) {
    if (stopAfter !== null && invalid >= stopAfter) break
    const { bytes } = window
    const scanned = scanRecord(bytes, 0, dialect, window.isLast)
    if (scanned.type === 'cut') {
      if (bytes.length < LONGEST_RECORD) {
        window.more()
        continue
      }
      if (scanned.openLine > 0) return { type: 'open', line: line + scanned.openLine - 1 }
      drop(bytes, 'is longer than 16 MiB')
      while (!skipLine()) {
        window.skip(window.bytes.length)
        window.more()
      }
      continue
    }
    if (scanned.type === 'open') return { type: 'open', line: line + scanned.openLine - 1 }
    if (scanned.type === 'broken') {
      if (bytes.indexOf(0x0a) === -1 && !window.isLast && bytes.length < LONGEST_RECORD) {
        window.more()
        continue
      }
      const end = bytes.indexOf(0x0a)
      drop(bytes.subarray(0, end === -1 ? bytes.length : end), 'has something behind a closing quote')
      while (!skipLine()) {
        window.skip(window.bytes.length)
        window.more()
      }
      continue
    }
    const record = bytes.subarray(0, scanned.end)
    if (scanned.type === 'ok') {
      if (scanned.fields === fields) writer.write(record)
      else drop(record, `has ${scanned.fields} ${scanned.fields === 1 ? 'column' : 'columns'}, not ${fields}`)
    }
    line += scanned.lines
    window.skip(scanned.end)
  }
  writer.flush()
  return { type: 'sieved', invalid, samples }
}
