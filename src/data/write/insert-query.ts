import type { DataSource } from '../../model/data-source.ts'
import type { Data } from '../data.ts'
import { qualified } from '../tables/table-ddl.ts'
import { givenColumns } from './given-columns.ts'
import { INSERT_SETTINGS, insertSelect } from './insert-select.ts'
import { schemaMismatch } from './match-columns.ts'
import type { Loaded, Staged, WriteFailure } from './write-rows.ts'

type Input = {
  readonly data: Data
  readonly staged: Staged
  /** One SELECT over live data sources, not approved yet. */
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Why these columns cannot be inserted into the target; null: they can. */
  readonly fault: (target: DataSource, given: readonly string[]) => string | null
  /** ClickHouse settings, in addition to those of every insert. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/** Loads the result of a SELECT over live tables into the staged target. Throws `WarehouseError`. */
export const insertQuery = async (input: Input): Promise<Loaded | WriteFailure> => {
  const { data, staged, parameters, settings } = input
  const { workspace, statements, liveDatabase, database, target } = staged
  const sql = await data.warehouse.checkSelect({ workspace, sql: input.sql, parameters })
  const given = await givenColumns(statements, { sql, parameters })
  const fault = input.fault(target, given)
  if (fault !== null) return schemaMismatch(`The query: ${fault}`)
  const read = await statements.measuredCommand({
    sql: insertSelect({ into: target, table: qualified(database, target.name), select: sql, given }),
    database: liveDatabase,
    parameters,
    settings: { ...settings, ...INSERT_SETTINGS },
  })
  const written = await countStaged(staged, target.name)
  return {
    type: 'loaded',
    outcome: { rows_read: read.rowsRead, bytes_read: read.bytesRead, rows_written: written },
  }
}

/** Counts the rows of a staged table. */
export const countStaged = async ({ statements, database }: Staged, table: string): Promise<number> => {
  const [row] = await statements.rows<{ count: string }>({
    sql: `SELECT count() AS count FROM ${qualified(database, table)}`,
  })
  return Number(row!.count)
}
