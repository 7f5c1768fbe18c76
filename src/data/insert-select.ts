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

/** By name: a SELECT may have its columns in any order. `table` as it stands in SQL; the data source's name when absent. */
export const insertSelect = (
  dataSource: DataSource,
  select: string,
  table: string = quoteIdentifier(dataSource.name),
): string => {
  const names = columnNames(dataSource)
  return `INSERT INTO ${table} (${names}) SELECT ${names} FROM (\n${select}\n)`
}

/** All columns as they stand in a statement. */
export const columnNames = ({ columns }: DataSource): string =>
  columns.map(({ name }) => quoteIdentifier(name)).join(', ')
