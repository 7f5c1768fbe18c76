import type { Publication } from '../store/data-store.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { qualified } from './table-ddl.ts'

/** Lets staged tables and live ones change places, those that have not yet. May be repeated, and taken up by another process. */
export const exchangeTables = async (
  warehouse: Warehouse,
  { workspace, stagingDatabase, tables }: Pick<Publication, 'workspace' | 'stagingDatabase' | 'tables'>,
): Promise<void> => {
  const database = warehouse.database(workspace)
  const live = await uuidsOf(warehouse, workspace, database)
  for (const { name, uuid } of tables) {
    // A data source that was dropped meanwhile gets no rows.
    if (!live.has(name) || live.get(name) === uuid) continue
    const sql = `EXCHANGE TABLES ${qualified(database, name)} AND ${qualified(stagingDatabase, name)}`
    await warehouse.command({ workspace, sql })
  }
}

/** By the names of the tables of a database. */
export const uuidsOf = async (
  warehouse: Warehouse,
  workspace: string,
  database: string,
): Promise<ReadonlyMap<string, string>> => {
  const rows = await warehouse.rows<{ name: string; uuid: string }>({
    workspace,
    sql: 'SELECT name, toString(uuid) AS uuid FROM system.tables WHERE database = {database:String}',
    parameters: { database },
  })
  return new Map(rows.map(({ name, uuid }) => [name, uuid]))
}
