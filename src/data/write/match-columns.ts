import type { DataSource } from '../../model/data-source.ts'
import { shownName } from '../../warehouse/guard/shown-name.ts'
import type { WriteFailure } from './write-rows.ts'

/** Why columns with these names cannot be inserted into a data source; null: they can. All of its columns without a default must be given. */
export const columnsFault = (target: DataSource, given: readonly string[]): string | null => {
  const missing = target.columns
    .filter(({ name, default: otherwise }) => !given.includes(name) && otherwise === undefined)
    .map(({ name }) => name)
  return missing.length > 0
    ? `${target.name} has columns that it does not give: ${missing.join(', ')}`
    : unknownFault(target, given)
}

/** The same for stored queries, such as nodes: columns that were added to the data source later may be missing. */
export const unknownFault = (target: DataSource, given: readonly string[]): string | null => {
  const unknown = given.filter(name => !target.columns.some(column => column.name === name))
  if (unknown.length === 0) return null
  const columns = target.columns.map(({ name }) => name).join(', ')
  return `it gives columns that ${target.name} does not have: ${unknown.map(shownName).join(', ')}. ${target.name} has ${columns}`
}

export const schemaMismatch = (message: string): WriteFailure => ({
  type: 'failed',
  reason: 'schema_mismatch',
  message,
})
