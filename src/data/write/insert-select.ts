import { type DataSource, mergesRows } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'

/**
 * One block may touch many partitions. Rows that the engine would combine (Replacing, Summing, …) stay separate until it merges them: nodes get, and counts
 * include, the rows as written.
 */
export const INSERT_SETTINGS = {
  max_partitions_per_insert_block: 0,
  insert_null_as_default: 0,
  optimize_on_insert: 0,
}

/** Keeps the order of rows: one thread reads a table part by part, in the order of writing, and one thread writes. */
export const IN_ORDER = { max_threads: 1, max_insert_threads: 1 }

/** For a statement that copies the rows of a data source: if its engine combines rows, their order must be kept. */
export const copySettings = (dataSource: DataSource): Readonly<Record<string, number>> => ({
  ...INSERT_SETTINGS,
  ...(mergesRows(dataSource) && IN_ORDER),
})

type Insert = {
  readonly into: DataSource
  /** Its table, or another with the same columns, as quoted SQL. */
  readonly table: string
  readonly select: string
  /** The column names of `select`. */
  readonly given: readonly string[]
}

/** Matches columns by name: a SELECT may return them in any order. Missing columns get their defaults, extra ones are dropped. */
export const insertSelect = ({ into, table, select, given }: Insert): string => {
  const names = columnNames({ columns: into.columns.filter(({ name }) => given.includes(name)) })
  return `INSERT INTO ${table} (${names}) SELECT ${names} FROM (\n${select}\n)`
}

/** All column names, quoted and separated by commas. */
export const columnNames = ({ columns }: Pick<DataSource, 'columns'>): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ')
