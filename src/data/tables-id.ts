import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Identifies the tables in a data directory. It is a file in that directory, so copies of the directory keep it. */
export type TablesId = {
  /** null: none has been created yet. */
  read(): string | null
  /** The existing id, or else `made`, which is on disk when this returns. */
  keep(made: string): string
}

/** Contains a dot, which no workspace's folder does. */
const NAME = 'tables.id'

/** The id is in the folder of the embedded engines. This process must be the only user of the data directory. */
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
      // The database is about to record this id. If a power cut lost the file, the tables would seem to be another server's.
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
