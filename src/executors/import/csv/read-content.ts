import type { ImportFields } from '../spec.ts'
import type { Sample } from '../spool/read-sample.ts'
import type { Dialect } from './dialect.ts'
import { findDialect } from './find-dialect.ts'
import { hasHeader, type Target } from './header.ts'
import { readRecords, type SampleRecord } from './read-fields.ts'

/** The beginning of CSV content, and how it is read. */
export type CsvContent = {
  readonly dialect: Dialect
  /** The first records, not all of the sample. */
  readonly records: readonly SampleRecord[]
  /** Whether the first record is a header. */
  readonly header: boolean
}

/** Reads the beginning of content for a data source. Throws `ImportFailure` like `findDialect`. */
export const readContent = (
  sample: Sample,
  fields: Pick<ImportFields, 'header' | 'delimiter' | 'quote'>,
  target: NonNullable<Target>,
): CsvContent => {
  const dialect = findDialect(fields, sample.bytes, target)
  const records = readRecords(sample, dialect, MOST_RECORDS)
  return { dialect, records, header: fields.header ?? hasHeader(records, target) }
}

/** Enough to find a fault in one record of a hundred. */
const MOST_RECORDS = 500
