import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../../kernel/ids.ts'
import type { Lease } from '../../model/job.ts'
import type { Publication } from '../../store/data-store.ts'
import type { Data } from '../data.ts'
import { exchangeTables, putTablesBack } from './exchange-tables.ts'
import { dropStaging, hasDatabase } from './staging-database.ts'

type Parts = Pick<Data, 'store' | 'warehouse' | 'logger' | 'catalogue'>
/** The fields needed to finish a publication. */
export type Published = Pick<Publication, 'jobId' | 'workspace' | 'stagingDatabase' | 'tables'>

/**
 * Exchanges the tables, unless that is done, and drops what is left in staging. May be repeated, and called concurrently. Throws `WarehouseError`; then some or
 * none of it is done.
 */
export const finishPublication = (parts: Parts, publication: Published): Promise<void> =>
  alone(parts, publication, async () => {
    const { store, warehouse, logger } = parts
    const { workspace, jobId, stagingDatabase } = publication
    // It may have been taken back meanwhile.
    if ((await store.getPublication({ workspace, jobId })) === null) return
    await exchangeTables(parts, publication)
    try {
      await dropStaging(warehouse, workspace, stagingDatabase)
    } catch (error) {
      // The old rows are in nobody's way: the next writer in the workspace tries again.
      logger.warn({ err: error, job_id: jobId }, 'a staging database could not be dropped')
    }
  })

/**
 * Revokes a committed publication: exchanges tables back, after which the job may end in any way. Returns whether that was possible; if not, the publication
 * stands. Throws `WarehouseError`.
 */
export const takeBack = (parts: Parts, publication: Published, lease: Lease): Promise<boolean> =>
  alone(parts, publication, async () => {
    const { store, warehouse } = parts
    const { workspace, stagingDatabase } = publication
    if (!(await hasDatabase(warehouse, workspace, stagingDatabase))) return false
    await putTablesBack(warehouse, publication)
    return (await store.revokePublication({ workspace, lease })) === 'revoked'
  })

/** Longer than these statements take. */
const HELD_MS = 30_000
const PAUSE_MS = 50

/** Two concurrent runs could exchange tables twice. */
const alone = async <T>(
  { store }: Parts,
  { workspace, stagingDatabase }: Published,
  work: () => Promise<T>,
): Promise<T> => {
  const lock = { workspace, holder: { callId: newId(), heldMs: HELD_MS } }
  while ((await store.lockTables({ ...lock, tables: [stagingDatabase] })).type !== 'locked') await sleep(PAUSE_MS)
  try {
    return await work()
  } finally {
    // The lock also expires by itself, and the work is done.
    await store.unlockTables(lock).catch(ignore)
  }
}

const ignore = (): void => {}
