import { quarantineOf } from '../model/data-source.ts'
import type { Data } from './data.ts'
import { isDataId } from './data-id.ts'
import { renewQuarantines } from './tables/renew-quarantines.ts'
import {
  addColumnsSql,
  columnSql,
  commentOf,
  createTableSql,
  qualified,
  quarantineColumnSql,
} from './tables/table-ddl.ts'
import { tablesOf } from './write/exchange-tables.ts'
import { tidyStaging } from './write/tidy-staging.ts'

type Parts = Omit<Data, 'ready' | 'lookAgain'>

/** The preparation for one life of the engine. */
type Done = { readonly life: number; readonly making: Promise<void> }

/** `Data.ready`. */
export const createReadiness = (parts: Parts): Pick<Data, 'ready' | 'lookAgain'> => {
  const done = new Map<string, Done>()
  return {
    ready: workspace => {
      // Read before the work: if the engine ends meanwhile, the work is done again.
      const life = parts.warehouse.life(workspace)
      const known = done.get(workspace)
      if (known?.life === life) return known.making
      const making = makeReady(parts, workspace)
      done.set(workspace, { life, making })
      making.catch(() => {
        if (done.get(workspace)?.making === making) done.delete(workspace)
      })
      return making
    },
    lookAgain: workspace => void done.delete(workspace),
  }
}

const makeReady = async (parts: Parts, workspace: string): Promise<void> => {
  await tidyStaging(parts, workspace, [])
  await matchTables(parts, workspace)
  await matchColumns(parts, workspace)
  await renewQuarantines(parts, workspace)
}

/**
 * Creates missing tables of data sources, and drops tables of dropped ones. Tables are listed before the catalogue is read: one that the catalogue then lacks
 * belongs to a dropped data source. Foreign tables are left alone.
 */
const matchTables = async ({ warehouse, catalogue }: Parts, workspace: string): Promise<void> => {
  const database = warehouse.database(workspace)
  const tables = await tablesOf(warehouse, workspace, database)
  const { dataSources } = await catalogue(workspace)
  const ids = new Set(dataSources.map(commentOf))
  for (const { name, comment } of tables.values())
    if (isDataId(comment) && !ids.has(comment))
      await warehouse.command({ workspace, sql: `DROP TABLE IF EXISTS ${qualified(database, name)} SYNC` })
  for (const dataSource of dataSources)
    if (!tables.has(dataSource.name))
      await warehouse.command({ workspace, sql: createTableSql(database, dataSource, { ifMissing: true }) })
}

/** Adds columns from the catalogue that tables and their quarantines lack. Extra columns in a table are left alone. */
const matchColumns = async ({ warehouse, catalogue }: Parts, workspace: string): Promise<void> => {
  const database = warehouse.database(workspace)
  const rows = await warehouse.rows<{ table: string; names: readonly string[] }>({
    workspace,
    sql: `SELECT table, groupArray(name) AS names FROM system.columns WHERE database = {database:String} GROUP BY table`,
    parameters: { database },
  })
  const tables = new Map(rows.map(({ table, names }) => [table, new Set(names)]))
  for (const { name, columns } of (await catalogue(workspace)).dataSources)
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
