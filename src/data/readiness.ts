import type { Data } from './data.ts'
import { commentOf, createTableSql, qualified } from './table-ddl.ts'
import { tidyStaging } from './tidy-staging.ts'

type Parts = Omit<Data, 'ready'>

/** `Data.ready`. */
export const createReadiness = (parts: Parts): Data['ready'] => {
  const done = new Map<string, Promise<void>>()
  return workspace => {
    const known = done.get(workspace)
    if (known !== undefined) return known
    const making = makeReady(parts, workspace)
    done.set(workspace, making)
    making.catch(() => done.delete(workspace))
    return making
  }
}

const makeReady = async (parts: Parts, workspace: string): Promise<void> => {
  await tidyStaging(parts, workspace)
  await matchTables(parts, workspace)
}

/**
 * Every data source has its table; tables of data sources that were dropped are gone. The tables are listed first: one
 * that is there and in no catalogue read later is of a data source that was dropped. What is not ours is left alone.
 */
const matchTables = async ({ warehouse, catalogue }: Parts, workspace: string): Promise<void> => {
  const database = warehouse.database(workspace)
  const tables = await warehouse.rows<{ name: string; comment: string }>({
    workspace,
    sql: 'SELECT name, comment FROM system.tables WHERE database = {database:String}',
    parameters: { database },
  })
  const { dataSources } = await catalogue(workspace)
  const ids = new Set(dataSources.map(commentOf))
  for (const { name, comment } of tables)
    if (/^t_[0-9a-f]{32}$/.test(comment) && !ids.has(comment))
      await warehouse.command({ workspace, sql: `DROP TABLE IF EXISTS ${qualified(database, name)} SYNC` })
  const names = new Set(tables.map(({ name }) => name))
  for (const dataSource of dataSources)
    if (!names.has(dataSource.name))
      await warehouse.command({ workspace, sql: createTableSql(database, dataSource) }).catch(ifExists)
}

const ifExists = (error: Error): void => {
  if (!error.message.includes('already exists')) throw error
}
