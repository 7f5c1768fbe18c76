import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
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
  const ensure = (): void => ensureScratch(path, user)
  const own = (made: string): string => {
    if (user.isOther) chownSync(made, user.uid, user.gid)
    return made
  }
  ensure()
  await empty(path, removeTree)
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

/**
 * Creates the directory if it does not exist or no longer exists: commands of the server's own user can do anything to it, and cleaners of /var/tmp remove
 * it. Anyone may create entries there, so an existing one is only ours if it is a directory owned by this user. In the data directory, a file or symlink in
 * its place was made by a command.
 */
const ensureScratch = (path: string, { isOther }: JobUser): void => {
  const mode = isOther ? 0o711 : 0o700
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() && found.uid === process.getuid?.()) {
    if ((found.mode & 0o7777) !== mode) chmodSync(path, mode)
    return
  }
  if (found?.isDirectory() || (found !== undefined && isOther)) throw new Error(`${path} is not the server's`)
  if (found !== undefined) unlinkSync(path)
  mkdirSync(path, { mode })
  chmodSync(path, mode)
}

const empty = async (path: string, removeTree: Options['removeTree']): Promise<void> => {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name)
    if (entry.isDirectory()) await removeTree(inside)
    else rmSync(inside, { force: true })
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
