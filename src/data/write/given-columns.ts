import { ANALYSIS_LIMITS } from '../../warehouse/limit-settings.ts'
import type { Statements } from '../statements.ts'

type Select = {
  /** Approved by the guard. */
  readonly sql: string
  /** The database of its names; default: the live one. */
  readonly database?: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** The names of a SELECT's columns in that database. Throws `WarehouseError`. */
export const givenColumns = async (statements: Statements, { sql, ...where }: Select): Promise<readonly string[]> => {
  const columns = await statements.rows<{ name: string }>({
    ...where,
    // Outside a view, the engine would execute the scalar sub-queries of this sub-query.
    sql: `DESCRIBE TABLE view(SELECT * FROM (\n${sql}\n))`,
    settings: { ...ANALYSIS_LIMITS, readonly: 1 },
  })
  return columns.map(({ name }) => name)
}
