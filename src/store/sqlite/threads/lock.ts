import { type FileLock, lockFile } from '../../../kernel/lock-file.ts'

/** Locks the database for this process: a second server is refused. Waits up to a second for a previous one that is shutting down. */
export const lockDatabase = (path: string): FileLock => {
  const lock = lockFile(`${path}.lock`, { waitMs: 1000 })
  if (lock !== null) return lock
  throw new Error(`${path} is in use by another Millrace server. Stop it first, or choose another data directory.`)
}
