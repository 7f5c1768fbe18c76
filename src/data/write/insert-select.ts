import { type DataSource, mergesRows } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'

/**
 * One block may touch many partitions. Rows that an engine would make one (Replacing, Summing, …) stay apart until it merges them: nodes are fed, and
 * counts are of, what was written.
 */
export const INSERT_SETTINGS = {
  max_partitions_per_insert_block: 0,
  insert_null_as_default: 0,
  optimize_on_insert: 0,
}

/** Of the engine: one thread reads a table part by part, in the order in which they were written, and one writes. */
export const IN_ORDER = { max_threads: 1, max_insert_threads: 1 }

/** Of a statement that copies rows of a data source: where they become one the order must stay. */
export const copySettings = (dataSource: DataSource): Readonly<Record<string, number>> => ({
  ...INSERT_SETTINGS,
  ...(mergesRows(dataSource) && IN_ORDER),
})

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
