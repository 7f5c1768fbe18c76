import type { Publication } from '../store/data-store.ts'
import type { Data } from './data.ts'
import { exchangeTables } from './exchange-tables.ts'
import { attemptOfStaging, dropStaging } from './staging-database.ts'

/**
 * Finishes what was committed and perhaps not published: tables change places where they have not yet. What is left of their
 * staging goes, so that nobody does it a second time; the publication itself stays until its job has heard of it.
 */
export const recoverPublications = async (
  { store, warehouse, logger }: Pick<Data, 'store' | 'warehouse' | 'logger'>,
  workspace: string,
): Promise<void> => {
  for (const publication of await store.listPublications({ workspace })) {
    if (await isUnderWay(store, warehouse, publication)) continue
    if (!(await hasStaging(warehouse, publication))) continue
    logger.info({ workspace, job_id: publication.jobId }, 'a publication that was begun is finished')
    await exchangeTables(warehouse, publication)
    await dropStaging(warehouse, workspace, publication.stagingDatabase)
  }
}

/** The attempt that committed it still runs: it is at it, and two at once could let tables change places twice. */
const isUnderWay = async (
  store: Data['store'],
  warehouse: Data['warehouse'],
  { workspace, stagingDatabase }: Publication,
): Promise<boolean> => {
  const attempt = attemptOfStaging(warehouse.database(workspace), stagingDatabase)
  return attempt !== null && (await store.findRunningAttempt(attempt)) !== null
}

export const hasStaging = async (
  warehouse: Data['warehouse'],
  { workspace, stagingDatabase }: Pick<Publication, 'workspace' | 'stagingDatabase'>,
): Promise<boolean> => {
  const found = await warehouse.rows<{ name: string }>({
    workspace,
    sql: 'SELECT name FROM system.databases WHERE name = {name:String}',
    parameters: { name: stagingDatabase },
  })
  return found.length > 0
}
