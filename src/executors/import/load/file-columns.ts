import type { DataSource } from '../../../model/data-source.ts'
import { shownName } from '../../../warehouse/guard/shown-name.ts'
import { ImportFailure } from '../import-failure.ts'
import { readColumnType } from './column-type.ts'

/** Checks that a data source can take columns of these names. Throws `ImportFailure` `schema_mismatch` with the wrong ones. */
export const checkFileColumns = (target: DataSource, names: readonly string[]): void => {
  const columns = target.columns.map(({ name }) => name)
  const unknown = names.filter(name => !columns.includes(name))
  if (unknown.length > 0)
    throw mismatch(
      `The file has columns that ${target.name} has not: ${shownNames(unknown)}. ${target.name} has ${columns.join(', ')}.`,
    )
  requireColumns(target, names)
}

/** Columns that the file must have: only one that is nullable or has a default can do without a value. */
const requireColumns = (target: DataSource, given: readonly string[]): void => {
  const missing = target.columns.filter(
    ({ name, type, default: otherwise }) =>
      !given.includes(name) && otherwise === undefined && !readColumnType(type).nullable,
  )
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  throw mismatch(`The file lacks columns of ${target.name} that are neither nullable nor have a default: ${names}.`)
}

export const mismatch = (message: string): ImportFailure => new ImportFailure('schema_mismatch', message)

const MOST_SHOWN = 20

/** Names for a message, shortened: a file may have any number of them, of any length. */
export const shownNames = (names: readonly string[]): string => {
  const shown = names.slice(0, MOST_SHOWN).map(name => (name === '' ? '(no name)' : shownName(name)))
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
