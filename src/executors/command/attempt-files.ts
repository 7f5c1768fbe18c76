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
 * Where attempts have their files: working and temporary directories, long scripts, standard inputs. With a job user it is
 * not in the data directory, which that user cannot enter.
 */
export interface Scratch {
  /** Without links. */
  readonly path: string
  /** Files of one attempt; `name` is unique among those that run. */
  forAttempt(name: string): AttemptFiles
  /** Removes the directory, unless a command left something that will go at the next start. */
  close(): void
}

export interface AttemptFiles {
  /** An empty directory that only the command can enter. */
  makeDirectory(): string
  /** A file that the command can read. */
  write(kind: 'script' | 'stdin', content: string): string
  /** Removes all of them, with what the command left or put in their place. Never rejects. */
  remove(): Promise<void>
}

type Options = {
  readonly dataDir: string
  readonly instanceId: string
  readonly user: JobUser
  /** Removes what a command left; never rejects. */
  readonly removeTree: (path: string) => Promise<void>
}

/** Opens the directory, empty. Throws when something that is not ours lies in its place. */
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
 * Makes the directory where it is not, or not any more: commands of the server's own user can do to it what they like, and
 * what clears up /var/tmp removes it. Anyone may make things there: what is there is ours only when it is a directory of
 * this user. In the data directory a file or a link in its place is a command's.
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
    // Not empty, or gone.
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
