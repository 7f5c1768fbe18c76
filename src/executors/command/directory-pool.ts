import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'

export interface DirectoryPool {
  /** An empty directory that nobody else has. */
  take(): PooledDirectory
  /** False when a command has changed it: then what lies there is the caller's to remove. */
  giveBack(directory: PooledDirectory): boolean
}

export type PooledDirectory = {
  readonly path: string
  /** How it was when it was made, empty. */
  readonly made: BigIntStats
  /** Whether it has been used once without a change. */
  readonly isProven: boolean
}

type Options = {
  /** Makes an empty directory of a new name. */
  readonly make: () => string
  /** What is found changed though nobody had it is removed. */
  readonly remove: (path: string) => Promise<void>
}

/**
 * Most commands never touch their directories, and removing one costs more than all else about a small command: one whose
 * inode has not changed since it was made is as good as new. One that waits here may be changed too, by other
 * commands of the server's own user or by what clears up /var/tmp, so it is looked at before it is given out.
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
      // Kernels before 6.13 give all changes within some milliseconds one time: a file made right after the directory
      // would not show. By its next use the directory is older than that.
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
