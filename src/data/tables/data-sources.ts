import { isDeepStrictEqual } from 'node:util'
import { invalidField, MillraceError } from '../../kernel/errors.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { findDataSource, findPipe, pipesOf, pipeWithNode } from '../../model/catalogue-graph.ts'
import { type Column, type DataSource, quarantineOf } from '../../model/data-source.ts'
import { isSqlError } from '../../warehouse/warehouse.ts'
import { changeCatalogue } from '../change-catalogue.ts'
import type { Data } from '../data.ts'
import { isDataId, newDataId } from '../data-id.ts'
import { exchangePrepared, prepareTtl, TTL_HELD_MS } from './change-ttl.ts'
import { checkDataSource } from './check-data-source.ts'
import { matchColumns } from './match-tables.ts'
import { commentOf, createTableSql, qualified } from './table-ddl.ts'
import { tableFigures } from './table-figures.ts'
import { withTableLock } from './with-table-lock.ts'

/** A new data source as given by a caller. */
export type NewDataSource = {
  readonly name: string
  readonly description?: string | null
  readonly columns: readonly Column[]
  /** Default: `MergeTree`. */
  readonly engine?: string
  readonly sortingKey?: string | null
  readonly partitionKey?: string | null
  readonly ttl?: string | null
}

/**
 * Creates a data source and its table. Throws `MillraceError`: `invalid` with every wrong field, `data_source_exists`; `WarehouseError` if the engine is
 * unreachable.
 */
export const createDataSource = async (data: Data, workspace: string, given: NewDataSource): Promise<DataSource> => {
  await data.ready(workspace)
  const dataSource = await checkNewDataSource(data, workspace, given)
  await refuseForeignTable(data, workspace, dataSource.name)
  await changeCatalogue(data, workspace, catalogue => {
    refuseTaken(catalogue, dataSource.name)
    return { changes: [{ type: 'put_data_source', dataSource }], unlessLocked: [dataSource.name], result: null }
  })
  await makeTable(data, workspace, dataSource)
  const { id, name } = dataSource
  // If it was dropped before its table existed, the table is left over.
  if (!findDataSource(await data.catalogue(workspace), id))
    await dropTable(data.warehouse, workspace, name, commentOf({ id }))
  return dataSource
}

/** Checks a new data source without creating it. Throws `MillraceError`: `invalid` with every wrong field, `data_source_exists`; `WarehouseError`. */
export const checkNewDataSource = async (data: Data, workspace: string, given: NewDataSource): Promise<DataSource> => {
  const now = await data.store.now()
  const dataSource = await checkDataSource(data, workspace, {
    id: newDataId(),
    description: null,
    engine: 'MergeTree',
    sortingKey: null,
    partitionKey: null,
    ttl: null,
    format: null,
    createdAt: now,
    updatedAt: now,
    ...given,
  })
  refuseTaken(await data.catalogue(workspace), dataSource.name)
  return dataSource
}

/** Throws `data_source_exists` if a data source, a pipe or a node has the name. */
export const refuseTaken = (catalogue: Catalogue, name: string): void => {
  if (findDataSource(catalogue, name) ?? findPipe(catalogue, name))
    throw new MillraceError('data_source_exists', `There is already a data source or pipe ${name}.`)
  const pipe = pipeWithNode(catalogue, name)
  if (pipe !== undefined) throw new MillraceError('data_source_exists', `The pipe ${pipe.name} has a node ${name}.`)
}

/** Handles a table of that name that is not in the catalogue: drops what a dropped data source left behind, refuses a foreign table. */
const refuseForeignTable = async (data: Data, workspace: string, name: string): Promise<void> => {
  const { warehouse, catalogue } = data
  const comment = await commentIn(warehouse, workspace, name)
  if (comment === null) return
  // Read after the table was seen: another call may be creating the data source.
  if (findDataSource(await catalogue(workspace), name)) return
  if (!isDataId(comment))
    throw new MillraceError(
      'data_source_exists',
      `The database has a table ${name} that is not a data source of Millrace.`,
    )
  await withTableLock(data, workspace, [name], async () => {
    if (!findDataSource(await catalogue(workspace), name)) await dropTable(warehouse, workspace, name, comment)
  })
}

const makeTable = async ({ warehouse }: Data, workspace: string, dataSource: DataSource): Promise<void> => {
  const sql = createTableSql(warehouse.database(workspace), dataSource, { ifMissing: true })
  await warehouse.command({ workspace, sql })
}

/** By name or id. Throws `not_found`. */
export const getDataSource = async (data: Data, workspace: string, name: string): Promise<DataSource> => {
  const found = findDataSource(await data.catalogue(workspace), name)
  if (found === undefined) throw new MillraceError('not_found', `There is no data source ${name}.`)
  return found
}

export type DataSourceChange = {
  /** All columns: the existing ones first and unchanged, then the added ones. Absent: no change. */
  readonly columns?: readonly Column[]
  readonly description?: string | null
  readonly ttl?: string | null
}

/** Adds columns, changes description and TTL. Throws `invalid`, `not_found`, `data_busy`. */
export const alterDataSource = async (
  data: Data,
  workspace: string,
  name: string,
  change: DataSourceChange,
): Promise<DataSource> => {
  await data.ready(workspace)
  const before = await getDataSource(data, workspace, name)
  const wanted = { ...before, ...change, updatedAt: await data.store.now() }
  refuseOtherColumns(before, wanted)
  const after = await checkDataSource(data, workspace, wanted)
  const isOtherTtl = after.ttl !== before.ttl
  const work = async () => {
    refuseChanged(await data.catalogue(workspace), before)
    if (isOtherTtl) await prepareTtl(data, workspace, before, after).catch(refuseTtl)
    // The catalogue first: `ready` adds columns that a table lacks, but takes columns that are not in the catalogue for foreign ones.
    await changeCatalogue(data, workspace, catalogue => {
      refuseChanged(catalogue, before)
      return { changes: [{ type: 'put_data_source', dataSource: after }], unlessLocked: [], result: null }
    })
    try {
      if (isOtherTtl) await exchangePrepared(data, workspace, after)
      await matchColumns(data, workspace, [before.name])
    } catch (error) {
      data.lookAgain(workspace)
      throw error
    }
    return after
  }
  return withTableLock(data, workspace, [before.name], work, isOtherTtl ? TTL_HELD_MS : undefined)
}

/** The TTL is valid, but cannot be computed for a row. */
const refuseTtl = (error: unknown): never => {
  throw isSqlError(error) ? invalidField('ttl', error.message) : error
}

const refuseChanged = (catalogue: Catalogue, before: DataSource): void => {
  if (findDataSource(catalogue, before.id)?.updatedAt === before.updatedAt) return
  throw new MillraceError('data_busy', `${before.name} was changed at the same time.`, { retryAfter: 1 })
}

const refuseOtherColumns = (before: DataSource, after: DataSource): void => {
  const faults = before.columns.flatMap((column, index) => {
    const now = after.columns[index]
    return isDeepStrictEqual(now, column)
      ? []
      : [
          {
            path: `schema.${index}`,
            message: `must still be ${column.name} ${column.type}: columns can be added at the end, not changed or removed`,
          },
        ]
  })
  if (faults.length > 0) throw new MillraceError('invalid', faults[0]!.message, { errors: faults })
}

/** Removes all rows, including quarantined ones. Throws `not_found`, `data_busy`. */
export const truncateDataSource = async (data: Data, workspace: string, name: string): Promise<void> => {
  await data.ready(workspace)
  const dataSource = await getDataSource(data, workspace, name)
  const { warehouse } = data
  await withTableLock(data, workspace, [dataSource.name], async () => {
    for (const table of [dataSource.name, quarantineOf(dataSource.name)]) {
      const sql = `TRUNCATE TABLE IF EXISTS ${qualified(warehouse.database(workspace), table)} SYNC`
      await warehouse.command({ workspace, sql })
    }
  })
}

/** Removes a data source with its rows. Throws `not_found`, `data_source_in_use`, `data_busy`. */
export const dropDataSource = (data: Data, workspace: string, name: string): Promise<void> =>
  dropIf(data, workspace, name, async () => true)

/** The same, but keeps a data source that has rows or quarantined rows. */
export const dropEmptyDataSource = (data: Data, workspace: string, name: string): Promise<void> =>
  dropIf(data, workspace, name, async tables => {
    const figures = await tableFigures(data, workspace, tables)
    return figures.every(({ rowCount }) => rowCount === 0)
  })

/** Calls `mayGo` while its tables are locked. */
const dropIf = async (
  data: Data,
  workspace: string,
  name: string,
  mayGo: (tables: readonly string[]) => Promise<boolean>,
): Promise<void> => {
  await data.ready(workspace)
  const { id, name: known } = requireUnused(await data.catalogue(workspace), name)
  const tables = [known, quarantineOf(known)]
  await withTableLock(data, workspace, [known], async () => {
    if (!(await mayGo(tables))) return
    await changeCatalogue(data, workspace, catalogue => {
      requireUnused(catalogue, id)
      return { changes: [{ type: 'drop_data_source', id }], unlessLocked: [], result: null }
    })
    for (const table of tables) await dropTable(data.warehouse, workspace, table, commentOf({ id }))
  })
}

const requireUnused = (catalogue: Catalogue, name: string): DataSource => {
  const dataSource = findDataSource(catalogue, name)
  if (dataSource === undefined) throw new MillraceError('not_found', `There is no data source ${name}.`)
  const users = pipesOf(catalogue, dataSource.name)
  if (users.length === 0) return dataSource
  throw new MillraceError(
    'data_source_in_use',
    `${dataSource.name} is used by ${users.map(pipe => `the pipe ${pipe.name}`).join(', ')}.`,
  )
}

/** Unless the table belongs to another data source by now. While its name is locked, nobody can recreate it. */
const dropTable = async (
  warehouse: Data['warehouse'],
  workspace: string,
  name: string,
  comment: string,
): Promise<void> => {
  if ((await commentIn(warehouse, workspace, name)) !== comment) return
  const sql = `DROP TABLE IF EXISTS ${qualified(warehouse.database(workspace), name)} SYNC`
  await warehouse.command({ workspace, sql })
}

/** null: no such table. */
const commentIn = async (warehouse: Data['warehouse'], workspace: string, name: string): Promise<string | null> => {
  const [table] = await warehouse.rows<{ comment: string }>({
    workspace,
    sql: 'SELECT comment FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    parameters: { database: warehouse.database(workspace), name },
  })
  return table?.comment ?? null
}
