import { conditionFault } from '../../data/condition-fault.ts'
import type { Statements } from '../../data/statements.ts'

/** A partition in which a condition holds for some rows. */
export type Matched = {
  /** As the engine calls it: letters, digits and hyphens. */
  readonly partition: string
  readonly count: number
}

type Rows = {
  /** As it stands in SQL. */
  readonly table: string
  /** As the guard let it through. */
  readonly condition: string
}

/** Throws `WarehouseError` of the condition. */
export const matchedPartitions = async (
  statements: Statements,
  { table, condition }: Rows,
): Promise<readonly Matched[]> => {
  try {
    const found = await statements.rows<{ partition: string; count: string }>({
      // Where the condition stands, no name of ours may be that of a column.
      sql: `SELECT \`\tpartition\` AS partition, count() AS count FROM (
        SELECT _partition_id AS \`\tpartition\` FROM ${table} WHERE ${condition}) GROUP BY partition ORDER BY partition`,
      settings: { readonly: 1 },
    })
    return found.map(({ partition, count }) => ({ partition, count: Number(count) }))
  } catch (error) {
    throw conditionFault(error)
  }
}

export const countOf = (matched: readonly Matched[]): number => matched.reduce((sum, { count }) => sum + count, 0)
