import { MillraceError } from '../../kernel/errors.ts'
import { quarantineOf } from '../../model/data-source.ts'
import { isAway } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { whileLocked } from '../while-locked.ts'
import { dropPrepared, exchangePrepared, findInterruptedTtls, prepareTtl, TTL_HELD_MS } from './change-ttl.ts'
import { addColumnsSql, columnSql, quarantineColumnSql } from './table-ddl.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'logger' | 'catalogue'>

/**
 * Gives the tables of these data sources the columns and the TTL of the catalogue: a change may have been interrupted, possibly on another server. The caller
 * has locked them.
 */
export const matchTables = async (parts: Parts, workspace: string, names: readonly string[]): Promise<void> => {
  const [interrupted] = await Promise.all([
    findInterruptedTtls(parts, workspace, names),
    matchColumns(parts, workspace, names),
  ])
  for (const { dataSource, isOther } of interrupted) {
    if (!isOther) await dropPrepared(parts, workspace, dataSource)
    else {
      await prepareTtl(parts, workspace, dataSource, dataSource)
      await exchangePrepared(parts, workspace, dataSource)
    }
  }
}

/** The same for all data sources. False: it must be repeated, because a table with another TTL is locked. */
export const matchAllTables = async (parts: Parts, workspace: string): Promise<boolean> => {
  await matchColumns(parts, workspace)
  let isWhole = true
  for (const { dataSource } of await findInterruptedTtls(parts, workspace)) {
    const { name } = dataSource
    try {
      const lock = { workspace, tables: [name], heldMs: TTL_HELD_MS }
      await whileLocked(parts.store, lock, () => matchTables(parts, workspace, [name]))
    } catch (error) {
      if (isAway(error)) throw error
      if (error instanceof MillraceError && error.code === 'data_busy') isWhole = false
      // Whoever writes this table next tries again. Others need not wait for it.
      else parts.logger.warn({ err: error, workspace, table: name }, 'the TTL of a table could not be changed')
    }
  }
  return isWhole
}

/** Adds columns from the catalogue that tables and their quarantines lack. Extra columns in a table are left alone. `names`: default: all data sources. */
export const matchColumns = async (
  { warehouse, catalogue }: Pick<Parts, 'warehouse' | 'catalogue'>,
  workspace: string,
  names?: readonly string[],
): Promise<void> => {
  const database = warehouse.database(workspace)
  const dataSources = (await catalogue(workspace)).dataSources.filter(({ name }) => names?.includes(name) ?? true)
  const rows = await warehouse.rows<{ table: string; names: readonly string[] }>({
    workspace,
    sql: `SELECT table, groupArray(name) AS names FROM system.columns
      WHERE database = {database:String} AND has({tables:Array(String)}, table) GROUP BY table`,
    parameters: { database, tables: dataSources.flatMap(({ name }) => [name, quarantineOf(name)]) },
  })
  const tables = new Map(rows.map(({ table, names }) => [table, new Set(names)]))
  for (const { name, columns } of dataSources)
    for (const [table, toSql] of [
      [name, columnSql],
      [quarantineOf(name), quarantineColumnSql],
    ] as const) {
      const known = tables.get(table)
      const missing = known === undefined ? [] : columns.filter(column => !known.has(column.name))
      if (missing.length === 0) continue
      await warehouse.command({ workspace, sql: addColumnsSql(database, table, missing.map(toSql)) })
    }
}
