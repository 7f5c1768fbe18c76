import type { Publication } from '../../store/data-store.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { commentOf, qualified } from '../tables/table-ddl.ts'

type Published = Pick<Publication, 'workspace' | 'stagingDatabase' | 'tables'>

/**
 * Exchanges staged and live tables, except those already exchanged: a table is still staged if its UUID is the published one. May be repeated, and continued by
 * another process, but not run by two at once.
 */
export const exchangeTables = async (
  { warehouse, catalogue }: Pick<Data, 'warehouse' | 'catalogue'>,
  published: Published,
): Promise<void> => {
  const { workspace } = published
  for (const { uuid, live, staged, names } of await placesOf(warehouse, published)) {
    if (staged?.uuid !== uuid) continue
    // A data source that was dropped meanwhile gets no rows, and neither does a new one of the same name.
    if (live?.comment === staged.comment) await exchange(warehouse, workspace, names)
    else if (live === undefined && (await isKnown(catalogue, workspace, staged)))
      await warehouse.command({ workspace, sql: `RENAME TABLE ${names.staged} TO ${names.live}` })
  }
}

/** Reverses `exchangeTables`. */
export const putTablesBack = async (warehouse: Warehouse, published: Published): Promise<void> => {
  const { workspace } = published
  for (const { uuid, live, staged, names } of await placesOf(warehouse, published)) {
    if (live?.uuid !== uuid) continue
    if (staged !== undefined) await exchange(warehouse, workspace, names)
    else await warehouse.command({ workspace, sql: `RENAME TABLE ${names.live} TO ${names.staged}` })
  }
}

/** The live and the staged table for each published name. */
const placesOf = async (warehouse: Warehouse, { workspace, stagingDatabase, tables }: Published) => {
  const database = warehouse.database(workspace)
  const [live, staged] = await Promise.all([
    tablesOf(warehouse, workspace, database),
    tablesOf(warehouse, workspace, stagingDatabase),
  ])
  return tables.map(({ name, uuid }) => ({
    uuid,
    live: live.get(name),
    staged: staged.get(name),
    names: { live: qualified(database, name), staged: qualified(stagingDatabase, name) },
  }))
}

const exchange = (
  warehouse: Warehouse,
  workspace: string,
  names: { readonly live: string; readonly staged: string },
): Promise<void> => warehouse.command({ workspace, sql: `EXCHANGE TABLES ${names.live} AND ${names.staged}` })

/** Whether the data source still exists, although somebody has dropped its table behind our back. */
const isKnown = async (catalogue: Data['catalogue'], workspace: string, table: Table): Promise<boolean> =>
  (await catalogue(workspace)).dataSources.some(dataSource => commentOf(dataSource) === table.comment)

type Table = {
  readonly name: string
  readonly uuid: string
  /** The id of its data source: `commentOf`. */
  readonly comment: string
}

/** The tables of a database, by name. */
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
