import type { DataSource } from '../../../model/data-source.ts'
import { ImportFailure } from '../import-failure.ts'
import { readColumnType } from './column-type.ts'

/** Whether a data source takes what has columns of these names. Throws `ImportFailure` `schema_mismatch` that names those it is about. */
export const checkFileColumns = (target: DataSource, names: readonly string[]): void => {
  const columns = target.columns.map(({ name }) => name)
  const unknown = names.filter(name => !columns.includes(name))
  if (unknown.length > 0)
    throw mismatch(
      `The file has columns that ${target.name} has not: ${unknown.map(shown).join(', ')}. ${target.name} has ${columns.join(', ')}.`,
    )
  requireColumns(target, names)
}

/** Those that may not be left out: only a nullable column knows what to be without a value. */
const requireColumns = (target: DataSource, given: readonly string[]): void => {
  const missing = target.columns.filter(({ name, type }) => !given.includes(name) && !readColumnType(type).nullable)
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name).join(', ')
  throw mismatch(`The file lacks columns of ${target.name} that are not nullable: ${names}.`)
}

export const mismatch = (message: string): ImportFailure => new ImportFailure('schema_mismatch', message)

export const shown = (name: string): string => (name === '' ? '(no name)' : name)
