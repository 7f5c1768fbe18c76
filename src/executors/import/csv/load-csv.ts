import type { DataSource } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { ImportFailure } from '../import-failure.ts'
import { readColumnType } from '../load/column-type.ts'
import { loadAll } from '../load/load-all.ts'
import { type ContentLoad, countRows, type LoadCounts, startAnew } from '../load/load-content.ts'
import { loadSieved, neverClosed, toCounts, trySplit } from '../load/load-sieved.ts'
import type { SplitCounts } from '../load/load-split.ts'
import { runSieve } from '../sieve/run-sieve.ts'
import { MOST_SAMPLES } from '../sieve/sieve-report.ts'
import type { Sample } from '../spool/read-sample.ts'
import { hasBlankEnds } from './blank-ends.ts'
import { csvColumns } from './csv-columns.ts'
import { sievedReader, strictReader, tolerantReader } from './csv-reader.ts'
import { lastText } from './last-text.ts'
import { looksWrong } from './looks-wrong.ts'
import type { CsvContent } from './read-content.ts'
import { separatorLine } from './separator-line.ts'

type CsvLoad = ContentLoad & {
  readonly content: CsvContent
  readonly sample: Sample
  readonly target: DataSource
  /** Lines of the file that were skipped before. */
  readonly linesBefore: number
}

/**
 * Loads CSV into staging in the fastest way its rows allow: all in one pass; split into rows that fit and others; the same with lines of the wrong shape; or,
 * if the engine cannot read it at all, the same for what a sieve lets through. Throws `ImportFailure`, `WarehouseError`.
 */
export const loadCsv = async (load: CsvLoad): Promise<LoadCounts> => {
  const { place, sample, target, content, linesBefore } = load
  const { dialect, records, header } = content
  if (header && records.length === 0) throw noHeader()
  const columns = csvColumns(content, target)
  const { names, most } = columns
  const skipLines = header ? records[0]!.linesToEnd : Number(separatorLine(sample.bytes) !== null)
  const input = { dialect, columns, target, skipLines }
  const csv = { dialect, fields: names.length, most, linesBefore, skipLines, stopAfter: null }

  // With one column, a blank line is an empty value to one reader and nothing to the other.
  const isAlone = names.length === 1
  const isInVain = isAlone || looksWrong(header ? records.slice(1) : records, names, target)
  const all = isInVain ? null : await loadAll(place, strictReader({ ...input, isUtf8: true }))
  if (all === 'loaded') {
    await load.whole()
    const last = await lastText(place.spool.path, dialect)
    if (load.isUtf8() && !(await hasSwallowed(load, target, last))) {
      const written = await countRows(place)
      return { read: written, written, quarantined: 0, invalid: 0, samples: [] }
    }
  }
  if (all !== null) await startAnew(load)
  const counts = await splitLines(load, input, !isAlone && all !== 'unreadable')
  await load.whole()
  const sieve = { csv, reader: sievedReader({ ...input, skipLines: 0, isUtf8: load.isUtf8() }) }
  // With one column, a blank line to the engine may be a quoted empty value. The sieve can tell, and leaves no blank lines.
  if (counts === null || (isAlone && counts.blank > 0)) return loadSieved(load, sieve)
  if (counts.ragged === 0) {
    const last = await lastText(place.spool.path, dialect)
    return (await hasSwallowed(load, target, last)) ? loadSieved(load, sieve) : toCounts(counts)
  }
  // A line that is too short may hold the rest of the file in a quote. Only a full read can tell.
  const stopAfter = dialect.quote === '' ? MOST_SAMPLES : null
  const task = { input: place.spool.path, output: null, csv: { ...csv, stopAfter } }
  const report = await runSieve(task, load.signal)
  if (report.type === 'open') throw neverClosed(report.line)
  return { ...toCounts(counts), samples: report.samples }
}

const noHeader = (): ImportFailure =>
  new ImportFailure('content_unreadable', 'The first line, which is to have the names of the columns, cannot be read.')

type Input = Omit<Parameters<typeof tolerantReader>[0], 'isUtf8'>

/** If the first fault was in a value, lines probably have the right shape: reading lines of any shape takes a fifth longer. null: the engine cannot read it. */
const splitLines = async (load: ContentLoad, input: Input, areLikelyRight: boolean): Promise<SplitCounts | null> => {
  if (areLikelyRight) {
    const counts = await splitRightLines(load, input)
    if (counts !== null) return counts
    await startAnew(load)
  }
  await load.whole()
  if (await hasBlankEnds(load.place.spool.path, input.dialect, load.signal)) return null
  return trySplit(load, tolerantReader({ ...input, isUtf8: load.isUtf8() }))
}

/** Checking UTF-8 in each value takes the engine a tenth longer, so what looks like UTF-8 is loaded again if the rest is not. */
const splitRightLines = async (load: ContentLoad, input: Input): Promise<SplitCounts | null> => {
  const isUtf8 = load.isUtf8()
  const counts = await trySplit(load, strictReader({ ...input, isUtf8 }))
  if (counts === null || !isUtf8) return counts
  await load.whole()
  if (load.isUtf8()) return counts
  await startAnew(load)
  return splitRightLines(load, input)
}

/**
 * Whether a text ends like the file (`lastText`), so that a quote may be open there; '' may be anything. Only a text column or a quarantined row can have
 * swallowed the rest.
 */
const hasSwallowed = async ({ place, quarantine }: ContentLoad, target: DataSource, last: string | null) => {
  if (last === null || last === '') return last === ''
  const { statements, database, table } = place
  const texts = target.columns.filter(({ type }) => /^(String|FixedString)\b/.test(readColumnType(type).base))
  const look = async (from: string, columns: readonly string[]): Promise<boolean> => {
    if (columns.length === 0) return false
    const ends = columns.map(name => `endsWith(${quoteIdentifier(name)}, {last:String})`)
    const sql = `SELECT 1 FROM ${quoteIdentifier(from)} WHERE ${ends.join(' OR ')} LIMIT 1`
    return (await statements.rows({ database, sql, parameters: { last } })).length > 0
  }
  const names = (columns: DataSource['columns']) => columns.map(({ name }) => name)
  return (await look(table, names(texts))) || look(quarantine, names(target.columns))
}
