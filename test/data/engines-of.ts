import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Processes of the data engines of a server, by its data directory. */
export const enginesOf = (dataDir: string): readonly number[] =>
  readdirSync('/proc')
    .filter(pid => {
      try {
        return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(join(dataDir, 'warehouse'))
      } catch {
        return false
      }
    })
    .map(Number)
