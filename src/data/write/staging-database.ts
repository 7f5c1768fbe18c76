import { setTimeout as sleep } from 'node:timers/promises'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { type Warehouse, WarehouseError } from '../../warehouse/warehouse.ts'

/** The database in which an attempt prepares its tables. On a server it is separate from the workspace's database, which is the only one that users can see. */
export const stagingName = (liveDatabase: string, { jobId, attempt }: AttemptName): string =>
  `${prefixOf(liveDatabase)}stg_${jobId.replaceAll('-', '')}_${attempt}`

/** A second database, for a node that reads other tables than the staged ones under the same names. */
export const sourceName = (stagingDatabase: string): string => `${stagingDatabase}_source`

type AttemptName = { readonly jobId: string; readonly attempt: number }

const prefixOf = (liveDatabase: string): string => (liveDatabase === 'live' ? '' : `${liveDatabase}__`)

/** The attempt that a staging database belongs to; null: it is not one of this workspace. */
export const attemptOfStaging = (liveDatabase: string, name: string): AttemptName | null => {
  const prefix = prefixOf(liveDatabase)
  const match = name.startsWith(prefix) ? STAGING.exec(name.slice(prefix.length)) : null
  if (match === null) return null
  const hex = match[1]!
  const jobId = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return { jobId, attempt: Number(match[2]) }
}

const STAGING = /^stg_([0-9a-f]{32})_(\d+)(?:_source)?$/

/** The names of all databases of the engine. */
export const databasesOf = async (warehouse: Warehouse, workspace: string): Promise<readonly string[]> => {
  const rows = await warehouse.rows<{ name: string }>({ workspace, sql: 'SELECT name FROM system.databases' })
  return rows.map(({ name }) => name)
}

export const hasDatabase = async (warehouse: Warehouse, workspace: string, name: string): Promise<boolean> =>
  (await databasesOf(warehouse, workspace)).includes(name)

const MOST_TRIES = 20
const PAUSE_MS = 100

/**
 * A cancelled statement may still create its table a moment later; the engine then reports an error, and the drop is retried. The embedded engine deletes the
 * files soon afterwards (`sessions.ts`). A server would keep them for eight minutes, so there the drop waits for that (SYNC).
 */
export const dropStaging = async (warehouse: Warehouse, workspace: string, database: string): Promise<void> => {
  const isEmbedded = prefixOf(warehouse.database(workspace)) === ''
  const sql = `DROP DATABASE IF EXISTS ${quoteIdentifier(database)}${isEmbedded ? '' : ' SYNC'}`
  for (let tries = 1; ; tries++)
    try {
      return await warehouse.command({ workspace, sql })
    } catch (error) {
      const isPassing = error instanceof WarehouseError && /New table appeared|not empty/i.test(error.message)
      if (!isPassing || tries === MOST_TRIES) throw error
      await sleep(PAUSE_MS)
    }
}
