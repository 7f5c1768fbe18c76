import type { DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import { loadAll } from '../load/load-all.ts'
import { type ContentLoad, countRows, type LoadCounts, startAnew } from '../load/load-content.ts'
import type { LoadPlace } from '../load/load-place.ts'
import { loadSieved, neverClosed, toCounts, trySplit } from '../load/load-sieved.ts'
import { runSieve } from '../sieve/run-sieve.ts'
import { MOST_SAMPLES } from '../sieve/sieve-report.ts'
import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import { csvColumns } from './csv-columns.ts'
import { strictReader, tolerantReader } from './csv-reader.ts'
import { dialectOf } from './dialect.ts'
import { hasHeader } from './header.ts'
import { lastText } from './last-text.ts'
import { readRecords } from './read-fields.ts'

type CsvLoad = ContentLoad & {
  readonly fields: ImportFields
  readonly sample: Sample
  readonly target: DataSource
}

/**
 * CSV into staging, by the quickest of three ways that its rows allow: all in one pass; split into those that fit, those that do not, and lines
 * of the wrong shape; the same of what a sieve lets through, where the engine cannot read it at all. Throws `ImportFailure`, `WarehouseError`.
 */
export const loadCsv = async (load: CsvLoad): Promise<LoadCounts> => {
  const { place, sample, target, fields } = load
  const dialect = dialectOf(fields)
  const records = readRecords(sample, dialect)
  const header = fields.header ?? hasHeader(records, target)
  const names = csvColumns(records, header, target)
  const skipLines = header ? (records[0]?.linesToEnd ?? 0) : 0
  const input = { dialect, names, target, skipLines }
  const csv = { dialect, fields: names.length, skipLines, stopAfter: null }

  // Of one column a blank line is an empty value to one reader and none to the other.
  const inOnePass = names.length > 1 && (await loadAll(place, strictReader(input))) === 'loaded'
  await load.whole()
  const last = await lastText(place.spool.path, dialect)
  const sieve = () => loadSieved(load, { csv, reader: tolerantReader({ ...input, skipLines: 0, lastText: null }) })
  if (last === '') return sieve()
  if (inOnePass && load.isUtf8() && !(await hasSwallowed(place, target, last))) {
    const written = await countRows(place)
    return { read: written, written, quarantined: 0, invalid: 0, samples: [] }
  }
  await startAnew(load)
  const counts = await trySplit(load, tolerantReader({ ...input, lastText: last }))
  if (counts === null || counts.swallowed > 0) return sieve()
  if (counts.ragged === 0) return toCounts(counts)
  const task = { input: place.spool.path, output: null, csv: { ...csv, stopAfter: MOST_SAMPLES } }
  const report = await runSieve(task, load.signal)
  if (report.type === 'open') throw neverClosed(report.line)
  return { ...toCounts(counts), samples: report.samples }
}

/** Whether a text ends with the end of the file (`lastText`). Nothing but a text can have taken that in. */
const hasSwallowed = async ({ statements, database, table }: LoadPlace, target: DataSource, last: string | null) => {
  const texts = target.columns.filter(({ type }) => /^(String|FixedString)\b/.test(readColumnType(type).base))
  if (last === null || texts.length === 0) return false
  const ends = texts.map(({ name }) => `endsWith(${quoteIdentifier(name)}, {last:String})`)
  const sql = `SELECT 1 AS found FROM ${quoteIdentifier(table)} WHERE ${ends.join(' OR ')} LIMIT 1`
  return (await statements.rows({ database, sql, parameters: { last } })).length > 0
}
