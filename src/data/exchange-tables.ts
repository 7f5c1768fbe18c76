import type { Publication } from '../store/data-store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { qualified } from './table-ddl.ts'

/** Lets staged tables and live ones change places, those that have not yet. May be repeated, and taken up by another process. */
export const exchangeTables = async (
  warehouse: Warehouse,
  { workspace, stagingDatabase, tables }: Pick<Publication, 'workspace' | 'stagingDatabase' | 'tables'>,
): Promise<void> => {
  const database = warehouse.database(workspace)
  const live = await tablesOf(warehouse, workspace, database)
  const staged = await tablesOf(warehouse, workspace, stagingDatabase)
  for (const { name, uuid } of tables) {
    // A data source that was dropped meanwhile gets no rows, nor does another one that was made in its name.
    if (!live.has(name) || live.get(name)?.comment !== staged.get(name)?.comment) continue
    if (live.get(name)?.uuid === uuid) continue
    const sql = `EXCHANGE TABLES ${qualified(database, name)} AND ${qualified(stagingDatabase, name)}`
    await warehouse.command({ workspace, sql })
  }
}

type Table = {
  readonly name: string
  readonly uuid: string
  /** Whose it is: `commentOf`. */
  readonly comment: string
}

/** By the names of the tables of a database. */
export const tablesOf = async (
  warehouse: Warehouse,
  workspace: string,
  database: string,
): Promise<ReadonlyMap<string, Table>> => {
  const rows = await warehouse.rows<Table>({
    workspace,
    sql: 'SELECT name, toString(uuid) AS uuid, comment FROM system.tables WHERE database = {database:String}',
    parameters: { database },
  })
  return new Map(rows.map(table => [table.name, table]))
}
