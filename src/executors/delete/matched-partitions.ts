import { conditionFault } from '../../data/condition-fault.ts'
import type { Statements } from '../../data/statements.ts'

/** A partition with rows that match a condition. */
export type Matched = {
  /** The engine's id for it: letters, digits and hyphens. */
  readonly partition: string
  readonly count: number
}

type Rows = {
  /** Quoted, as in SQL. */
  readonly table: string
  /** As the guard returned it. */
  readonly condition: string
}

/** Counts the matching rows of each partition. Throws `WarehouseError` about the condition. */
export const matchedPartitions = async (
  statements: Statements,
  { table, condition }: Rows,
): Promise<readonly Matched[]> => {
  try {
    const found = await statements.rows<{ partition: string; count: string }>({
      // The condition's scope must have no alias of ours that could be the name of a column.
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
