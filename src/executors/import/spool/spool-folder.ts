import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ClaimedJob } from '../../../model/job.ts'
import type { Warehouse } from '../../../warehouse/warehouse.ts'
import type { Spooling } from './spooling.ts'

/** Where content is stored while it is imported. */
export interface SpoolFolder {
  /** The file of an attempt. If the engine is on this machine, it reads the file there itself. */
  place(job: Pick<ClaimedJob, 'id' | 'attempt' | 'workspace'>): Omit<SpoolPlace, 'spooling'>
  /** Removes what attempts left in an earlier run of this server. */
  sweep(workspaces: readonly string[]): void
}

export type SpoolPlace = {
  readonly path: string
  /** Content that is still arriving; null: it is complete. */
  readonly spooling: Spooling | null
  /** The engine opens the path itself. */
  readonly isLocal: boolean
}

export const createSpoolFolder = (options: { dataDir: string; warehouse: Warehouse }): SpoolFolder => {
  const { dataDir, warehouse } = options
  const own = join(dataDir, 'spool', 'imports')
  const folderOf = (workspace: string) => {
    const local = warehouse.importFolder(workspace)
    if (local === null) mkdirSync(own, { recursive: true, mode: 0o700 })
    return { folder: local ?? own, isLocal: local !== null }
  }
  return {
    place: ({ id, attempt, workspace }) => {
      const { folder, isLocal } = folderOf(workspace)
      return { path: join(folder, `${id}.${attempt}`), isLocal }
    },
    sweep: workspaces => {
      for (const workspace of workspaces) {
        const { folder } = folderOf(workspace)
        for (const name of readdirSync(folder)) rmSync(join(folder, name), { force: true })
      }
    },
  }
}
