import { ANALYSIS_LIMITS } from '../warehouse/limit-settings.ts'
import { quoteIdentifier } from '../warehouse/quote-identifier.ts'
import type { Data } from './data.ts'
import { INSERT_SETTINGS, insertSelect } from './insert-select.ts'
import { columnsFault, schemaMismatch } from './match-columns.ts'
import { qualified } from './table-ddl.ts'
import type { Loaded, Staged, WriteFailure } from './write-rows.ts'

type Input = {
  readonly data: Data
  readonly workspace: string
  readonly staged: Staged
  /** One SELECT over live data sources, not yet judged. */
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Of ClickHouse, beside those of every insert. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** Loads what a SELECT gives of the live tables into the staged target. Throws `WarehouseError`. */
export const insertQuery = async (input: Input): Promise<Loaded | WriteFailure> => {
  const { data, workspace, staged, parameters, settings } = input
  const { statements, liveDatabase, database, target } = staged
  const sql = await data.warehouse.checkSelect({ workspace, sql: input.sql, parameters })
  const columns = await statements.rows<{ name: string }>({
    sql: `DESCRIBE TABLE (\n${sql}\n)`,
    parameters,
    settings: { ...ANALYSIS_LIMITS, readonly: 1 },
  })
  const fault = columnsFault(
    target,
    columns.map(({ name }) => name),
  )
  if (fault !== null) return schemaMismatch(`The query: ${fault}`)
  await statements.command({
    sql: insertSelect(target, sql, qualified(database, target.name)),
    database: liveDatabase,
    parameters,
    settings: { ...settings, ...INSERT_SETTINGS },
  })
  return { type: 'loaded', outcome: { rows_written: await countStaged(staged, target.name) } }
}

/** Rows of a staged table. */
export const countStaged = async ({ statements, database }: Staged, table: string): Promise<number> => {
  const sql = `SELECT count() AS count FROM ${quoteIdentifier(database)}.${quoteIdentifier(table)}`
  const [row] = await statements.rows<{ count: string }>({ sql })
  return Number(row!.count)
}
