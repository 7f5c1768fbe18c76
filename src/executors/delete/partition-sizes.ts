import type { Statements } from '../../data/statements.ts'

export type PartitionSize = {
  readonly rows: number
  /** Average size of a part, as stored. */
  readonly bytesOfPart: number
}

/** Sizes by the partition ids of a table. */
export const partitionSizes = async (
  statements: Statements,
  table: { readonly database: string; readonly table: string },
): Promise<ReadonlyMap<string, PartitionSize>> => {
  const found = await statements.rows<{ partition: string; rows: string; bytes: number }>({
    sql: `SELECT partition_id AS partition, sum(parts.rows) AS rows, avg(bytes_on_disk) AS bytes FROM system.parts AS parts
      WHERE database = {database:String} AND table = {table:String} AND active GROUP BY partition`,
    parameters: table,
  })
  return new Map(found.map(({ partition, rows, bytes }) => [partition, { rows: Number(rows), bytesOfPart: bytes }]))
}
