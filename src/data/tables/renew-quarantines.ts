import { type DataSource, quarantineOf } from '../../model/data-source.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import type { Data } from '../data.ts'
import { whileLocked } from '../while-locked.ts'
import { commentOf, createQuarantineSql, QUARANTINE_KEY, qualified } from './table-ddl.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'catalogue' | 'quarantineKeptMs'>

/** The name of a table while it is rebuilt. Names with this prefix are reserved for the server. */
const RENEWED = 'c__renewed'

/** A million rows take about a second. */
const HELD_MS = 10 * 60_000

/**
 * Rebuilds quarantines whose sorting key is outdated, with all rows: they could neither be read page by page nor be joined with what imports add. Throws
 * `data_busy` while one is being written.
 */
export const renewQuarantines = async (parts: Parts, workspace: string): Promise<void> => {
  const found = await findOld(parts, workspace)
  if (found.length === 0) return
  const tables = found.map(({ dataSource }) => dataSource.name)
  await whileLocked(parts.store, { workspace, tables, heldMs: HELD_MS }, async () => {
    // Searched again: the previous holder of the lock may have done the same work.
    for (const old of await findOld(parts, workspace))
      if (tables.includes(old.dataSource.name)) await renew(parts, workspace, old)
  })
}

/** `isOld` false: it was rebuilt, but the process ended before it dropped the old table. */
type Old = { readonly dataSource: DataSource; readonly isOld: boolean }

const findOld = async ({ warehouse, catalogue }: Parts, workspace: string): Promise<readonly Old[]> => {
  const tables = await warehouse.rows<{ name: string; comment: string }>({
    workspace,
    sql: `SELECT name, comment FROM system.tables WHERE database = {database:String}
      AND (name = {renewed:String} OR (endsWith(name, '_quarantine') AND sorting_key != {key:String}))`,
    parameters: { database: warehouse.database(workspace), renewed: RENEWED, key: QUARANTINE_KEY },
  })
  if (tables.length === 0) return []
  const { dataSources } = await catalogue(workspace)
  return dataSources.flatMap(dataSource => {
    const own = tables.filter(({ comment }) => comment === commentOf(dataSource))
    const isOld = own.some(({ name }) => name === quarantineOf(dataSource.name))
    return own.length === 0 ? [] : [{ dataSource, isOld }]
  })
}

const renew = async (parts: Parts, workspace: string, { dataSource, isOld }: Old): Promise<void> => {
  const { warehouse, quarantineKeptMs } = parts
  const database = warehouse.database(workspace)
  const command = (sql: string) => warehouse.command({ workspace, sql })
  const before = qualified(database, quarantineOf(dataSource.name))
  const renewed = qualified(database, RENEWED)
  await command(`DROP TABLE IF EXISTS ${renewed} SYNC`)
  if (!isOld) return
  await command(createQuarantineSql(database, dataSource, quarantineKeptMs, RENEWED))
  const names = await columnsOf(parts, workspace, quarantineOf(dataSource.name))
  await command(`INSERT INTO ${renewed} (${names}) SELECT ${names} FROM ${before}`)
  await command(`EXCHANGE TABLES ${renewed} AND ${before}`)
  await command(`DROP TABLE ${renewed} SYNC`)
}

/** Columns that both tables have: the row number is new. */
const columnsOf = async ({ warehouse }: Parts, workspace: string, table: string): Promise<string> => {
  const columns = await warehouse.rows<{ name: string }>({
    workspace,
    sql: `SELECT name FROM system.columns WHERE database = {database:String} AND table IN ({table:String}, {renewed:String})
      GROUP BY name HAVING count() = 2`,
    parameters: { database: warehouse.database(workspace), table, renewed: RENEWED },
  })
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ')
}
