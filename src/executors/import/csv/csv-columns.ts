import type { DataSource } from '../../../model/data-source.ts'
import { checkFileColumns, mismatch, shown } from '../load/file-columns.ts'
import { headerNames, isAlike, repeatedNames } from './header.ts'
import type { SampleRecord } from './read-fields.ts'

/** What the lines of a file have. */
export type CsvColumns = {
  /** In the file's order. */
  readonly names: readonly string[]
  /** Fields that a line may have: those that are too much must be empty. */
  readonly most: number
}

/** The columns of a file. Throws `ImportFailure` `schema_mismatch` where the data source cannot take them. */
export const csvColumns = (records: readonly SampleRecord[], header: boolean, target: DataSource): CsvColumns => {
  const names = header ? targetNames(records, target) : target.columns.map(({ name }) => name)
  const fields = records[0]?.fields ?? []
  const isOther = fields.length < names.length || fields.slice(names.length).some(({ text }) => text !== '')
  if (!header && records.length > 0 && isOther)
    throw mismatch(
      `The first line has ${fields.length} columns, ${target.name} has ${names.length}: ${names.join(', ')}.`,
    )
  return { names, most: mostFields(names.length, records) }
}

/** One more delimiter than columns is common, and engines take it; where the first line has more, others may have as many. */
export const mostFields = (columns: number, records: readonly SampleRecord[]): number =>
  Math.max(columns + 1, records[0]?.fields.length ?? 0)

/** Those of a header, as the data source has them: only what is called as no column is may be one in other letters. */
const targetNames = (records: readonly SampleRecord[], target: DataSource): readonly string[] => {
  const given = headerNames(records, target)
  const columns = target.columns.map(({ name }) => name)
  const left = columns.filter(column => !given.includes(column))
  const names = given.map(name => {
    if (columns.includes(name)) return name
    const alike = left.filter(column => isAlike(column, name))
    return alike.length === 1 ? alike[0]! : name
  })
  refuseRepeated(names)
  checkFileColumns(target, names)
  return names
}

/** Throws `ImportFailure` `schema_mismatch`. */
export const refuseRepeated = (names: readonly string[]): void => {
  const repeated = repeatedNames(names)
  if (repeated.length > 0)
    throw mismatch(
      `The file has columns twice: ${repeated.map(shown).join(', ')}. If its first line has no names, say header: false.`,
    )
}
