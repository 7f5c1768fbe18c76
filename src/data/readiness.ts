import type { Data } from './data.ts'
import { isDataId } from './data-id.ts'
import { matchAllTables } from './tables/match-tables.ts'
import { renewQuarantines } from './tables/renew-quarantines.ts'
import { commentOf, createTableSql, qualified } from './tables/table-ddl.ts'
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
      const forget = (): void => {
        if (done.get(workspace)?.making === making) done.delete(workspace)
      }
      const making: Promise<void> = makeReady(parts, workspace).then(isWhole => {
        if (!isWhole) forget()
      })
      done.set(workspace, { life, making })
      making.catch(forget)
      return making
    },
    lookAgain: workspace => {
      done.delete(workspace)
      parts.matched.forget(workspace)
    },
  }
}

/** False: it must be repeated before the next use. */
const makeReady = async (parts: Parts, workspace: string): Promise<boolean> => {
  await tidyStaging(parts, workspace, [])
  await createAndDropTables(parts, workspace)
  const isWhole = await matchAllTables(parts, workspace)
  await renewQuarantines(parts, workspace)
  return isWhole
}

/**
 * Creates missing tables of data sources, and drops tables of dropped ones. Tables are listed before the catalogue is read: one that the catalogue then lacks
 * belongs to a dropped data source. Foreign tables are left alone.
 */
const createAndDropTables = async ({ warehouse, catalogue }: Parts, workspace: string): Promise<void> => {
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
