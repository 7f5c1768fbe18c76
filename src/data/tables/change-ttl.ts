import type { DataSource } from '../../model/data-source.ts'
import { nullOfSqlError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { addColumnsSql, attachAllSql, columnSql, createTableSql, mergeSql, qualified } from './table-ddl.ts'

type Parts = Pick<Data, 'warehouse' | 'catalogue'>

/** How long a call locks a table whose TTL it changes. The engine computes when rows expire, some ten million a second. */
export const TTL_HELD_MS = 10 * 60_000

/** The table that takes the place of a data source's own. Names that begin so are reserved for the server. */
const preparedName = ({ id }: Pick<DataSource, 'id'>): string => `c__renewed_${id}`

/**
 * Links the rows of a data source into a second table that has the columns and TTL of `after`. In the same table, a change would not be done at once: until the
 * engine has computed the new times of all parts, it may still drop parts by their old ones. And a write that replaces the table would stop that. Throws
 * `WarehouseError`, also if the TTL cannot be computed for a row; the data source is as it was.
 */
export const prepareTtl = async (
  parts: Parts,
  workspace: string,
  before: DataSource,
  after: DataSource,
): Promise<void> => {
  const { warehouse } = parts
  const database = warehouse.database(workspace)
  const name = preparedName(after)
  const prepared = qualified(database, name)
  const added = after.columns.slice(before.columns.length)
  const command = (sql: string, settings = {}) => warehouse.command({ workspace, sql, settings })
  await dropPrepared(parts, workspace, after)
  try {
    await command(createTableSql(database, { ...before, name, ttl: null }, { unmerged: true }))
    await command(attachAllSql(prepared, qualified(database, before.name)))
    if (added.length > 0) await command(addColumnsSql(database, name, added.map(columnSql)))
    if (after.ttl !== null) await command(`ALTER TABLE ${prepared} MODIFY TTL ${after.ttl}`, { mutations_sync: 1 })
    await command(mergeSql(database, name))
  } catch (error) {
    // What cannot be dropped now is dropped by the next call that locks the table, or the next start.
    await dropPrepared(parts, workspace, after).catch(() => {})
    throw error
  }
}

/** Puts the prepared table in place of the data source's own. */
export const exchangePrepared = async (parts: Parts, workspace: string, dataSource: DataSource): Promise<void> => {
  const { warehouse } = parts
  const database = warehouse.database(workspace)
  const prepared = qualified(database, preparedName(dataSource))
  await warehouse.command({ workspace, sql: `EXCHANGE TABLES ${prepared} AND ${qualified(database, dataSource.name)}` })
  await dropPrepared(parts, workspace, dataSource)
}

/** Drops a table that was prepared by a change that has ended before the catalogue changed, or after the exchange. */
export const dropPrepared = (
  { warehouse }: Parts,
  workspace: string,
  dataSource: Pick<DataSource, 'id'>,
): Promise<void> => {
  const prepared = qualified(warehouse.database(workspace), preparedName(dataSource))
  return warehouse.command({ workspace, sql: `DROP TABLE IF EXISTS ${prepared}` })
}

/** `isOther` false: the table has the TTL that the catalogue says, but a prepared table was left beside it. */
export type InterruptedTtl = { readonly dataSource: DataSource; readonly isOther: boolean }

/** Data sources whose change of the TTL was interrupted. `names`: only of these. */
export const findInterruptedTtls = async (
  parts: Parts,
  workspace: string,
  names?: readonly string[],
): Promise<readonly InterruptedTtl[]> => {
  const { warehouse, catalogue } = parts
  const database = warehouse.database(workspace)
  const dataSources = (await catalogue(workspace)).dataSources.filter(({ name }) => names?.includes(name) ?? true)
  const rows = await warehouse.rows<{ name: string; engine: string }>({
    workspace,
    sql: `SELECT name, engine_full AS engine FROM system.tables
      WHERE database = {database:String} AND has({names:Array(String)}, name)`,
    parameters: {
      database,
      names: dataSources.flatMap(dataSource => [dataSource.name, preparedName(dataSource)]),
    },
  })
  const engines = new Map(rows.map(({ name, engine }) => [name, engine]))
  const found: InterruptedTtl[] = []
  for (const dataSource of dataSources) {
    const engine = engines.get(dataSource.name)
    if (engine === undefined) continue
    const table = qualified(database, dataSource.name)
    const isOther = !(await isSameTtl(parts, workspace, table, ttlIn(engine), dataSource.ttl))
    if (isOther || engines.has(preparedName(dataSource))) found.push({ dataSource, isOther })
  }
  return found
}

/** Text outside and inside of quotes. */
const TEXT = String.raw`(?:[^'\x60]|'(?:[^'\\]|\\.)*'|\x60(?:[^\x60\\]|\\.)*\x60)*?`
const TTL_OF_ENGINE = new RegExp(`^${TEXT} TTL (${TEXT}) SETTINGS `, 's')

/** The TTL in a table's engine as the engine shows it: `MergeTree ORDER BY day TTL day + toIntervalYear(1) SETTINGS …`. */
const ttlIn = (engine: string): string | null => TTL_OF_ENGINE.exec(engine)?.[1] ?? null

/** The texts may differ: the engine shows `COALESCE` as `coalesce`, and a column named `top` without the quotes that the guard keeps. */
const isSameTtl = async (
  { warehouse }: Parts,
  workspace: string,
  table: string,
  one: string | null,
  other: string | null,
): Promise<boolean> => {
  if (one === null || other === null || one === other) return one === other
  /** What the engine makes of it; null: the table lacks a column that it reads. */
  const resolved = async (ttl: string): Promise<string | null> => {
    // At the start of a SELECT, some names would be keywords. Without a name of its own, the column would be called as its text.
    const sql = `EXPLAIN SYNTAX run_query_tree_passes = 1 SELECT [${ttl}] AS \`\tttl\` FROM ${table}`
    return warehouse.rows({ workspace, sql }).then(lines => JSON.stringify(lines), nullOfSqlError)
  }
  const [first, second] = await Promise.all([resolved(one), resolved(other)])
  return first !== null && first === second
}
