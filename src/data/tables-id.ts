import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Which tables are in a data directory: goes with them wherever the folder is copied to. */
export type TablesId = {
  /** null: none was made yet. */
  read(): string | null
  /** That one, or `made`, which is on the disk when this returns. */
  keep(made: string): string
}

/** With a point, as no folder of a workspace has. */
const NAME = 'tables.id'

/** Of the embedded engines' folder in a data directory that this process alone uses. */
export const openTablesId = (dataDir: string): TablesId => {
  const folder = join(dataDir, 'warehouse')
  const path = join(folder, NAME)
  let known: string | null = null

  const read = (): string | null => {
    known ??= readIfThere(path)
    return known
  }
  return {
    read,
    keep: made => {
      const there = read()
      if (there !== null) return there
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.new`, made, { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
      // The database is about to name it: after a loss of power the tables would be a stranger's.
      for (const directory of [folder, dataDir]) flush(directory)
      known = made
      return made
    },
  }
}

const readIfThere = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

const flush = (directory: string): void => {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
