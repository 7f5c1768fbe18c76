import type { Publication } from '../store/data-store.ts'
import type { Data } from './data.ts'
import { exchangeTables } from './exchange-tables.ts'
import { attemptOfStaging, dropStaging } from './staging-database.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'logger'>

/**
 * Finishes what was committed and perhaps not published: tables change places where they have not yet. What is left of their
 * staging goes, so that nobody does it a second time; the publication itself stays until its job has heard of it.
 */
export const recoverPublications = async (parts: Parts, workspace: string): Promise<void> => {
  const publications = await parts.store.listPublications({ workspace })
  if (publications.length === 0) return
  const databases = await databasesOf(parts.warehouse, workspace)
  for (const publication of publications) {
    if (!databases.has(publication.stagingDatabase) || (await isUnderWay(parts, publication))) continue
    parts.logger.info({ workspace, job_id: publication.jobId }, 'a publication that was begun is finished')
    await finishPublication(parts.warehouse, publication)
  }
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

/** The attempt that committed it still runs: it is at it, and two at once could let tables change places twice. */
const isUnderWay = async (
  { store, warehouse }: Parts,
  { workspace, stagingDatabase }: Publication,
): Promise<boolean> => {
  const attempt = attemptOfStaging(warehouse.database(workspace), stagingDatabase)
  return attempt !== null && (await store.findRunningAttempt(attempt)) !== null
}

/** Names of all databases of the engine. */
export const databasesOf = async (warehouse: Data['warehouse'], workspace: string): Promise<ReadonlySet<string>> => {
  const rows = await warehouse.rows<{ name: string }>({ workspace, sql: 'SELECT name FROM system.databases' })
  return new Set(rows.map(({ name }) => name))
}
