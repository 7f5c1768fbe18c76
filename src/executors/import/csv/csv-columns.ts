import { csvReadingText } from '../../../model/csv-reading.ts'
import type { DataSource } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'
import { checkFileColumns, mismatch, shownNames } from '../load/file-columns.ts'
import { countedColumns } from './counted-columns.ts'
import { hasHeader, headerNames, inOneCase, repeatedNames } from './header.ts'
import type { CsvContent } from './read-content.ts'
import type { Field, SampleRecord } from './read-fields.ts'

/** The columns that lines of a file have. */
export type CsvColumns = {
  /** In file order. */
  readonly names: readonly string[]
  /** Fields that a line may have. Surplus ones must be empty. */
  readonly most: number
}

/** The columns of a file. Throws `ImportFailure` `schema_mismatch`, with how the file was read, if the data source cannot take them. */
export const csvColumns = ({ dialect, records, header }: CsvContent, target: DataSource): CsvColumns => {
  try {
    return header ? namedColumns(records, target) : columnsInOrder(records, target)
  } catch (error) {
    if (!(error instanceof ImportFailure)) throw error
    const reading = csvReadingText({ delimiter: dialect.delimiter, header })
    throw new ImportFailure(error.reason, `${error.message} It was read as ${reading}.`)
  }
}

const namedColumns = (records: readonly SampleRecord[], target: DataSource): CsvColumns => {
  const names = targetNames(records, target)
  return { names, most: mostFields(names.length, records) }
}

/**
 * The data source's columns, for a file without a header. A first line of another shape is an invalid line if most of the others fit, unless the next one is a
 * header.
 */
const columnsInOrder = (records: readonly SampleRecord[], target: DataSource): CsvColumns => {
  const names = target.columns.map(({ name }) => name)
  const [first, ...others] = records
  if (first === undefined || fits(first.fields, names.length)) return { names, most: mostFields(names.length, records) }
  const fitting = others.filter(({ fields }) => fits(fields, names.length))
  if (fitting.length > others.length / 2 && !hasHeader(others, target))
    return { names, most: mostFields(names.length, fitting) }
  throw mismatch(
    `The first line has ${countedColumns(first.fields.length)}, ${target.name} has ${names.length}: ${names.join(', ')}.`,
  )
}

/** Whether a line has at least this many fields, and only empty ones beyond. */
export const fits = (fields: readonly Field[], columns: number): boolean =>
  fields.length >= columns && fields.slice(columns).every(({ text }) => text === '')

/** A spreadsheet's limit. The engine reads each as a column. */
const MOST_FIELDS = 16_384

/** Allows one trailing delimiter, which is common and which engines accept. If the first line has more, others may, too. */
export const mostFields = (columns: number, records: readonly SampleRecord[]): number =>
  Math.max(columns + 1, Math.min(records[0]?.fields.length ?? 0, MOST_FIELDS))

/**
 * Header names as the data source spells them. A name that matches no column exactly may match one in another case, if no other name matches that column
 * exactly.
 */
const targetNames = (records: readonly SampleRecord[], target: DataSource): readonly string[] => {
  const given = headerNames(records, target)
  const columns = target.columns.map(({ name }) => name)
  const [known, named] = [new Set(columns), new Set(given)]
  const left = Map.groupBy(
    columns.filter(column => !named.has(column)),
    inOneCase,
  )
  const names = given.map(name => {
    if (known.has(name)) return name
    const alike = left.get(inOneCase(name)) ?? []
    return alike.length === 1 ? alike[0]! : name
  })
  refuseRepeated(names)
  checkFileColumns(target, names)
  return names
}

/** Throws `ImportFailure` `schema_mismatch` for duplicate names. */
export const refuseRepeated = (names: readonly string[]): void => {
  const repeated = repeatedNames(names)
  if (repeated.length > 0)
    throw mismatch(
      `The file has columns twice: ${shownNames(repeated)}. Give each its own name. Or read the columns by position: header: false, and skip_lines: 1 if the first line has names.`,
    )
}
