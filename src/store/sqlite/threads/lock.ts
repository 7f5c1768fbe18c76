import { type FileLock, lockFile } from '../../../kernel/lock-file.ts'

/** Takes the database for this process: a second server on it is refused. Waits a second for a former one that is just going. */
export const lockDatabase = (path: string): FileLock => {
  const lock = lockFile(`${path}.lock`, { waitMs: 1000 })
  if (lock !== null) return lock
  throw new Error(`${path} is in use by another Millrace server. Stop it first, or choose another data directory.`)
}
