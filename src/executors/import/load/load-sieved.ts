import { rm } from 'node:fs/promises'
import { isSqlError } from '../../../warehouse/warehouse.ts'
import { ImportFailure } from '../import-failure.ts'
import { runSieve } from '../sieve/run-sieve.ts'
import type { CsvSieve } from '../sieve/sieve-csv.ts'
import { type ContentLoad, type LoadCounts, startAnew } from './load-content.ts'
import { loadSplit, type SplitCounts } from './load-split.ts'
import type { Reader } from './reader.ts'

type Sieving = {
  /** null: NDJSON. */
  readonly csv: CsvSieve | null
  /** Reads what the sieve lets through. */
  readonly reader: Reader
}

/** Loads content that an engine cannot read, without the lines that are to blame. Throws `ImportFailure` `content_unreadable`. */
export const loadSieved = async (load: ContentLoad, { csv, reader }: Sieving): Promise<LoadCounts> => {
  const { place, signal } = load
  const sieved = `${place.spool.path}.sieved`
  try {
    const report = await runSieve({ input: place.spool.path, output: sieved, csv }, signal)
    if (report.type === 'open') throw neverClosed(report.line)
    await startAnew(load)
    const spool = { ...place.spool, path: sieved, spooling: null }
    const counts = await split({ ...load, place: { ...place, spool } }, reader)
    const { invalid, samples } = report
    return { ...toCounts(counts), read: counts.read + invalid, invalid: invalid + counts.ragged, samples }
  } finally {
    await rm(sieved, { force: true })
  }
}

export const neverClosed = (line: number): ImportFailure =>
  new ImportFailure('content_unreadable', `The quote that is opened in line ${line} is never closed.`)

/** null: the engine cannot read the content. Throws `WarehouseError` for every other error. */
export const trySplit = async (load: ContentLoad, reader: Reader): Promise<SplitCounts | null> => {
  try {
    return await loadSplit({ ...load, reader })
  } catch (error) {
    if (isSqlError(error)) return null
    throw error
  }
}

/** Same, as the last resort. Throws `ImportFailure` `content_unreadable`. */
export const split = async (load: ContentLoad, reader: Reader): Promise<SplitCounts> => {
  try {
    return await loadSplit({ ...load, reader })
  } catch (error) {
    if (!isSqlError(error)) throw error
    throw new ImportFailure('content_unreadable', `The content cannot be read: ${error.message}`)
  }
}

export const toCounts = ({ read, good, bad, ragged }: SplitCounts): LoadCounts => ({
  read,
  written: good,
  quarantined: bad,
  invalid: ragged,
  samples: [],
})
