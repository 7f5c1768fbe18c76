import { open } from 'node:fs/promises'
import { findDialect } from '../csv/find-dialect.ts'
import { readRecords } from '../csv/read-fields.ts'
import { ImportFailure } from '../import-failure.ts'
import { formatOf, type ImportFields } from '../spec.ts'
import { otherContent } from './other-content.ts'
import { hasJsonRows } from './other-json.ts'

/** The beginning of content, by which it is judged. */
export type Sample = {
  readonly bytes: Buffer
  /** The sample is the whole content. */
  readonly isWhole: boolean
  readonly size: number
}

/** The fields that say how content is written. */
export type SampledFields = Omit<ImportFields, 'datasource'>

/** How much of the content is examined. */
export const SAMPLE_BYTES = 1024 * 1024

/** The first MiB. Throws `ImportFailure` `content_unreadable` if it cannot be in the format: clearer than a later error about columns. */
export const readSample = async (path: string, fields: SampledFields): Promise<Sample> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(size, SAMPLE_BYTES))
    await file.read(bytes, 0, bytes.length, 0)
    refuseOther(bytes, fields)
    return { bytes, isWhole: size === bytes.length, size }
  } finally {
    await file.close()
  }
}

/** Throws `ImportFailure` `content_unreadable` if the beginning cannot be in the format. */
export const refuseOther = (bytes: Buffer, fields: SampledFields): void => {
  const fault = faultOf(bytes, fields)
  if (fault !== null) throw new ImportFailure('content_unreadable', fault)
}

const faultOf = (bytes: Buffer, fields: SampledFields): string | null => {
  const format = formatOf(fields)
  if (bytes.length === 0) return null
  const isParquet = bytes.subarray(0, 4).toString('latin1') === 'PAR1'
  if (format === 'parquet' && isParquet) return null
  const other = otherContent(bytes, () => format === 'csv' && hasEvenRecords(bytes, fields))
  if (other !== null) return other
  if (format === 'parquet') return 'The content is not Parquet: it does not start with PAR1.'
  return format === 'csv' && !isCalledCsv(fields) && hasJsonRows(bytes)
    ? 'The content is rows of JSON: say format: ndjson.'
    : null
}

/** Whether it is declared to be CSV, and not just CSV by default. */
const isCalledCsv = ({ format, url }: SampledFields): boolean =>
  format === 'csv' || /\.(csv|tsv|txt)(?:\.(?:gz|zst))?(?:[?#]|$)/i.test(url)

const MOST_RECORDS = 20

/** Several records of the same width, of more than one column: hardly anything but CSV has them. */
const hasEvenRecords = (bytes: Buffer, fields: SampledFields): boolean => {
  const widths = readRecords({ bytes, isWhole: false }, findDialect(fields, bytes), MOST_RECORDS).map(
    record => record.fields.length,
  )
  return widths.length > 1 && widths[0]! > 1 && widths.every(width => width === widths[0])
}
