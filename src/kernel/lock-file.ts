import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/** A lock on a file that the system gives back when its holder dies, however it dies. */
export type FileLock = { release(): void }

/** Locks must not be given back by the garbage collector because nobody looks at them any more. */
const held = new Set<DatabaseSync>()

/**
 * Takes the lock, or null when another process (or another call) holds it for longer than `waitMs`. Node has no `flock`;
 * an exclusive transaction on an empty database is one.
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
