import type { Statements } from '../../data/statements.ts'

/** By the partitions of a table. */
export const rowsOfPartitions = async (
  statements: Statements,
  table: { readonly database: string; readonly table: string },
): Promise<ReadonlyMap<string, number>> => {
  const found = await statements.rows<{ partition: string; count: string }>({
    sql: `SELECT partition_id AS partition, sum(rows) AS count FROM system.parts
      WHERE database = {database:String} AND table = {table:String} AND active GROUP BY partition`,
    parameters: table,
  })
  return new Map(found.map(({ partition, count }) => [partition, Number(count)]))
}
