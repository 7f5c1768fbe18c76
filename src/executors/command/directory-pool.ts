import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'

export interface DirectoryPool {
  /** Returns an empty directory that nobody else uses. */
  take(): PooledDirectory
  /** False if a command has changed the directory: the caller must then remove it. */
  giveBack(directory: PooledDirectory): boolean
}

export type PooledDirectory = {
  readonly path: string
  /** Its stat when newly made and empty. */
  readonly made: BigIntStats
  /** Whether it has been used once and found unchanged. */
  readonly isProven: boolean
}

type Options = {
  /** Makes an empty directory with a new name. */
  readonly make: () => string
  /** Removes a pooled directory that changed while unused. */
  readonly remove: (path: string) => Promise<void>
}

/**
 * Most commands never touch their directories, and removing one costs more than everything else about a small command. A directory whose inode has not
 * changed since it was made is as good as new. A pooled directory may also be changed, by other commands of the server's own user or by cleaners of
 * /var/tmp, so it is checked again before reuse.
 */
export const createDirectoryPool = ({ make, remove }: Options): DirectoryPool => {
  const free: PooledDirectory[] = []
  return {
    take: () => {
      for (let directory = free.pop(); directory !== undefined; directory = free.pop()) {
        if (isAsMade(directory)) return directory
        void remove(directory.path)
      }
      const path = make()
      return { path, made: lstatSync(path, { bigint: true }), isProven: false }
    },
    giveBack: directory => {
      // Kernels before 6.13 give all changes within a few milliseconds the same timestamp, so a file made right after the directory would not show in its
      // ctime.
      // By its next use, the directory is older than that.
      if (!isAsMade(directory) || !(directory.isProven || isEmpty(directory.path))) return false
      free.push({ ...directory, isProven: true })
      return true
    },
  }
}

const isAsMade = ({ path, made }: PooledDirectory): boolean => {
  try {
    const now = lstatSync(path, { bigint: true })
    return now.ctimeNs === made.ctimeNs && now.ino === made.ino && now.mode === made.mode
  } catch {
    return false
  }
}

const isEmpty = (path: string): boolean => {
  try {
    return readdirSync(path).length === 0
  } catch {
    return false
  }
}
