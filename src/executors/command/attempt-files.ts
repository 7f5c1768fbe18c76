import { chownSync, mkdtempSync, readdirSync, realpathSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { emptyScratchRoot, ensureScratchRoot } from '../scratch-root.ts'
import { createDirectoryPool, type DirectoryPool, type PooledDirectory } from './directory-pool.ts'
import type { JobUser } from './job-user.ts'

/**
 * Holds the files of attempts: working and temporary directories, long scripts, standard inputs. With a job user it lies outside the data directory, which
 * that user cannot enter.
 */
export interface Scratch {
  /** Contains no symlinks. */
  readonly path: string
  /** The files of one attempt. `name` is unique among running attempts. */
  forAttempt(name: string): AttemptFiles
  /** Removes the directory, unless a command left something. That is removed at the next start. */
  close(): void
}

export interface AttemptFiles {
  /** Makes an empty directory that only the command can enter. */
  makeDirectory(): string
  /** Writes a file that the command can read. */
  write(kind: 'script' | 'stdin', content: string): string
  /** Removes all of them, including what the command left in them or put in their place. Never rejects. */
  remove(): Promise<void>
}

type Options = {
  readonly dataDir: string
  readonly instanceId: string
  readonly user: JobUser
  /** Removes a directory that a command used. Never rejects. */
  readonly removeTree: (path: string) => Promise<void>
}

/** Opens the directory and empties it. Throws if something that is not ours is in its place. */
export const openScratch = async ({ dataDir, instanceId, user, removeTree }: Options): Promise<Scratch> => {
  const path = user.isOther ? join(realpathSync('/var/tmp'), `millrace-${instanceId}`) : join(dataDir, 'scratch')
  const ensure = (): void => ensureScratchRoot(path, user)
  const own = (made: string): string => {
    if (user.isOther) chownSync(made, user.uid, user.gid)
    return made
  }
  ensure()
  await emptyScratchRoot(path, removeTree)
  const make = (): string => {
    ensure()
    return own(mkdtempSync(join(path, 'dir-')))
  }
  const directories = createDirectoryPool({ make, remove: removeTree })
  return {
    path,
    forAttempt: name => createAttemptFiles(join(path, name), { ensure, own, directories, removeTree }),
    close: () => removeEmpty(path),
  }
}

const removeEmpty = (path: string): void => {
  try {
    for (const name of readdirSync(path)) rmdirSync(join(path, name))
    rmdirSync(path)
  } catch {
    // Not empty, or already gone.
  }
}

type Tools = {
  readonly ensure: () => void
  readonly own: (path: string) => string
  readonly directories: DirectoryPool
  readonly removeTree: (path: string) => Promise<void>
}

const createAttemptFiles = (base: string, { ensure, own, directories, removeTree }: Tools): AttemptFiles => {
  const taken: PooledDirectory[] = []
  const files: string[] = []
  return {
    makeDirectory: () => {
      const directory = directories.take()
      taken.push(directory)
      return directory.path
    },
    write: (kind, content) => {
      ensure()
      const path = `${base}.${kind}`
      writeFileSync(path, content, { mode: 0o400 })
      files.push(own(path))
      return path
    },
    remove: async () => {
      const changed = taken.filter(directory => !directories.giveBack(directory)).map(({ path }) => path)
      const resisting = files.filter(path => !isUnlinked(path))
      await Promise.all([...changed, ...resisting].map(removeTree))
    },
  }
}

const isUnlinked = (path: string): boolean => {
  try {
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}
