import type { Publication } from '../store/data-store.ts'
import type { Data } from './data.ts'
import { exchangeTables } from './exchange-tables.ts'
import { attemptOfStaging, dropStaging } from './staging-database.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'logger'>

/**
 * Deals with what attempts that no longer run have left in staging. What they had committed is finished: tables change places
 * where they have not yet; the publication itself stays until its job has heard of it. The rest is dropped.
 */
export const tidyStaging = async (parts: Parts, workspace: string): Promise<void> => {
  const left = await abandoned(parts, workspace)
  if (left.length === 0) return
  const { store, warehouse, logger } = parts
  // Asked after it was known who runs no more: nobody commits one of these any more.
  const publications = await store.listPublications({ workspace })
  for (const database of left) {
    const publication = publications.find(({ stagingDatabase }) => stagingDatabase === database)
    logger.info(
      { workspace, database, committed: publication !== undefined },
      'staging that an attempt left is cleared',
    )
    if (publication === undefined) await dropStaging(warehouse, workspace, database)
    else await finishPublication(warehouse, publication)
  }
}

/** Those whose attempt still runs are its own: two at once could let tables change places twice. */
const abandoned = async ({ store, warehouse }: Parts, workspace: string): Promise<readonly string[]> => {
  const live = warehouse.database(workspace)
  const left: string[] = []
  for (const database of await databasesOf(warehouse, workspace)) {
    const attempt = attemptOfStaging(live, database)
    if (attempt !== null && (await store.findRunningAttempt(attempt)) === null) left.push(database)
  }
  return left
}

/** Lets the tables change places, unless that is done. May be repeated. Throws `WarehouseError`. */
export const finishPublication = async (
  warehouse: Data['warehouse'],
  publication: Pick<Publication, 'workspace' | 'stagingDatabase' | 'tables'>,
): Promise<void> => {
  const { workspace, stagingDatabase } = publication
  // The last step of all drops it.
  if (!(await databasesOf(warehouse, workspace)).has(stagingDatabase)) return
  await exchangeTables(warehouse, publication)
  await dropStaging(warehouse, workspace, stagingDatabase)
}

/** Names of all databases of the engine. */
const databasesOf = async (warehouse: Data['warehouse'], workspace: string): Promise<ReadonlySet<string>> => {
  const rows = await warehouse.rows<{ name: string }>({ workspace, sql: 'SELECT name FROM system.databases' })
  return new Set(rows.map(({ name }) => name))
}
