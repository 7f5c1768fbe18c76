import type { DataSource } from '../model/data-source.ts'
import type { WriteFailure } from './write-rows.ts'

/** Whether columns of these names can be put into a data source, by name; null: they can. */
export const columnsFault = (target: DataSource, given: readonly string[]): string | null => {
  const names = new Set(given)
  const missing = target.columns.filter(({ name }) => !names.has(name)).map(({ name }) => name)
  if (missing.length > 0) return `${target.name} has columns that it does not give: ${missing.join(', ')}`
  const unknown = given.filter(name => !target.columns.some(column => column.name === name))
  return unknown.length > 0 ? `it gives columns that ${target.name} does not have: ${unknown.join(', ')}` : null
}

export const schemaMismatch = (message: string): WriteFailure => ({
  type: 'failed',
  reason: 'schema_mismatch',
  message,
})
