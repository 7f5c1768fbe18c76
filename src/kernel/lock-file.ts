import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/** A file lock that the operating system releases when its holder dies, however it dies. */
export type FileLock = { release(): void }

/** Keeps unreferenced locks from being released by the garbage collector. */
const held = new Set<DatabaseSync>()

/**
 * Takes the lock, or returns null if another process (or another call) holds it for longer than `waitMs`. Node has no `flock`, so this holds an
 * exclusive transaction on an empty SQLite database.
 */
export const lockFile = (path: string, { waitMs }: { waitMs: number }): FileLock | null => {
  const lock = new DatabaseSync(path, { timeout: waitMs })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    held.add(lock)
    return { release: () => release(lock) }
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null
    throw error
  }
}

const release = (lock: DatabaseSync): void => {
  if (held.delete(lock)) lock.close()
}
