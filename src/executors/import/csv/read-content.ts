import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import type { Dialect } from './dialect.ts'
import { findDialect } from './find-dialect.ts'
import { hasHeader, type Target } from './header.ts'
import { readRecords, type SampleRecord } from './read-fields.ts'

/** The beginning of CSV, and what it is taken for. */
export type CsvContent = {
  readonly dialect: Dialect
  /** The first; not all of the sample. */
  readonly records: readonly SampleRecord[]
  /** Whether the first has names. */
  readonly header: boolean
}

/** Reads the beginning of what goes into a data source. Throws `ImportFailure` as `findDialect`. */
export const readContent = (
  sample: Sample,
  fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>,
  target: NonNullable<Target>,
): CsvContent => {
  const dialect = findDialect(fields, sample.bytes, target)
  const records = readRecords(sample, dialect, MOST_RECORDS)
  return { dialect, records, header: fields.header ?? hasHeader(records, target) }
}

/** Enough to meet what is wrong in one of a hundred. */
const MOST_RECORDS = 500
