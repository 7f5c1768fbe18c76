import type { DataSource } from '../model/data-source.ts'
import { quoteIdentifier } from '../warehouse/quote-identifier.ts'

/**
 * One block may touch many partitions. Rows that an engine would make one (Replacing, Summing, …) stay apart until it merges them: nodes are fed, and
 * counts are of, what was written.
 */
export const INSERT_SETTINGS = {
  max_partitions_per_insert_block: 0,
  insert_null_as_default: 0,
  optimize_on_insert: 0,
}

type Insert = {
  readonly into: DataSource
  /** Its table, or another of the same columns, as it stands in SQL. */
  readonly table: string
  readonly select: string
  /** The names of the columns of `select`. */
  readonly given: readonly string[]
}

/** By name: a SELECT may have its columns in any order. Columns that it does not give have their defaults, more that it gives is left out. */
export const insertSelect = ({ into, table, select, given }: Insert): string => {
  const names = columnNames({ columns: into.columns.filter(({ name }) => given.includes(name)) })
  return `INSERT INTO ${table} (${names}) SELECT ${names} FROM (\n${select}\n)`
}

/** All columns as they stand in a statement. */
export const columnNames = ({ columns }: Pick<DataSource, 'columns'>): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ')
