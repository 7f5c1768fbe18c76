import { DatabaseSync } from 'node:sqlite'

/**
 * Takes the database for this process: a second server on it is refused. The lock is an exclusive transaction on an empty
 * database beside it; the system drops it with the process, however that ends. Waits a second for a former server that is
 * just going.
 */
export const lockDatabase = (path: string): { release(): void } => {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 1000 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    throw new Error(`${path} is in use by another Millrace server. Stop it first, or choose another data directory.`)
  }
  return { release: () => lock.close() }
}

const SQLITE_BUSY = 5
