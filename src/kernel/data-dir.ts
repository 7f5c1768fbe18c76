import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FileLock, lockFile } from './lock-file.ts'
import { makeDirectory } from './make-directory.ts'

/** The data directory of one server process: mode 0700, locked while the process lives. */
export interface DataDir {
  readonly path: string
  /** Contents of a small file, or null if it does not exist. */
  read(name: string): string | null
  /** Replaces a small file atomically, mode 0600. */
  write(name: string, content: string): void
  /** Releases the lock. The operating system also releases it when the process dies, however it dies. */
  unlock(): void
}

/** Thrown when another process holds the directory. */
export class DataDirLocked extends Error {
  constructor(path: string) {
    super(
      `Another Millrace server uses ${path}. Stop it, or give this one a data directory of its own (MILLRACE_DATA_DIR).`,
    )
    this.name = 'DataDirLocked'
  }
}

/** Creates the directory if missing, and locks it. Throws `DataDirLocked`, or an Error that names the directory and its setting. */
export const openDataDir = (path: string): DataDir => {
  const lock = takeDirectory(path)
  if (lock === null) throw new DataDirLocked(path)
  return {
    path,
    read: name => {
      try {
        return readFileSync(join(path, name), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      }
    },
    write: (name, content) => {
      const unfinished = join(path, `${name}.new`)
      writeFileSync(unfinished, content, { mode: 0o600 })
      renameSync(unfinished, join(path, name))
    },
    unlock: lock.release,
  }
}

const takeDirectory = (path: string): FileLock | null => {
  try {
    makeDirectory(path)
    chmodSync(path, 0o700)
    // A previous server that is shutting down may still hold it for a moment.
    return lockFile(join(path, 'lock'), { waitMs: 1000 })
  } catch (error) {
    const reason = (error as Error).message
    throw new Error(
      `The data directory ${path} (MILLRACE_DATA_DIR) must belong to the user of the server and be writable: ${reason}`,
      { cause: error },
    )
  }
}
