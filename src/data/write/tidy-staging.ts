import type { Publication } from '../../store/data-store.ts'
import { isAway } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { finishPublication } from './finish-publication.ts'
import { attemptOfStaging, databasesOf, dropStaging } from './staging-database.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'logger' | 'catalogue'>

/**
 * Clears what attempts that no longer run left in staging. Committed publications are finished: tables that have not been exchanged yet are exchanged. The
 * publication itself stays until its job has ended. Everything else is dropped. What the engine refuses is left for the next time. Throws `WarehouseError` if
 * the engine is unreachable, or refuses to finish a publication of one of `tables`, which the caller is about to write.
 */
export const tidyStaging = async (parts: Parts, workspace: string, tables: readonly string[]): Promise<void> => {
  const left = await abandoned(parts, workspace)
  if (left.length === 0) return
  const { store, logger } = parts
  // Read after it is known which attempts have ended: these can no longer commit.
  const publications = await store.listPublications({ workspace })
  for (const database of left) {
    const publication = publications.find(({ stagingDatabase }) => stagingDatabase === database)
    logger.info(
      { workspace, database, committed: publication !== undefined },
      'staging that an attempt left is cleared',
    )
    try {
      await clear(parts, workspace, database, publication)
    } catch (error) {
      if (isAway(error) || publication?.tables.some(({ name }) => tables.includes(name))) throw error
      logger.warn({ err: error, workspace, database }, 'staging that an attempt left could not be cleared')
    }
  }
}

const clear = (
  parts: Parts,
  workspace: string,
  database: string,
  publication: Publication | undefined,
): Promise<void> =>
  publication === undefined ? dropStaging(parts.warehouse, workspace, database) : finishPublication(parts, publication)

/** Excludes the staging of running attempts. */
const abandoned = async ({ store, warehouse }: Parts, workspace: string): Promise<readonly string[]> => {
  const live = warehouse.database(workspace)
  const left: string[] = []
  for (const database of await databasesOf(warehouse, workspace)) {
    const attempt = attemptOfStaging(live, database)
    if (attempt !== null && (await store.findRunningAttempt(attempt)) === null) left.push(database)
  }
  return left
}
