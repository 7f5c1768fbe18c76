import { ANALYSIS_LIMITS } from '../../warehouse/limit-settings.ts'
import type { Statements } from '../statements.ts'

type Select = {
  /** As the guard let it through. */
  readonly sql: string
  /** Where its names are looked up; the live one when absent. */
  readonly database?: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** The names of the columns that a SELECT gives where it runs. Throws `WarehouseError`. */
export const givenColumns = async (statements: Statements, { sql, ...where }: Select): Promise<readonly string[]> => {
  const columns = await statements.rows<{ name: string }>({
    ...where,
    // Of a sub-query that is not in a view, the engine would carry out scalar sub-queries.
    sql: `DESCRIBE TABLE view(SELECT * FROM (\n${sql}\n))`,
    settings: { ...ANALYSIS_LIMITS, readonly: 1 },
  })
  return columns.map(({ name }) => name)
}
