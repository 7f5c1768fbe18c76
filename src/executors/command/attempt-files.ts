import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { JobUser } from './job-user.ts'

/**
 * Where attempts have their files: empty working directories, long scripts, standard inputs. With a job user it is not in
 * the data directory, which that user cannot enter.
 */
export interface Scratch {
  readonly path: string
  /** Files of one attempt; `name` is unique among those that run. */
  forAttempt(name: string): AttemptFiles
  /** Removes the directory, unless a command left something that will go at the next start. */
  close(): void
}

export interface AttemptFiles {
  /** An empty directory that only the command can enter. */
  makeWorkingDir(): string
  /** A file that the command can read. */
  write(kind: 'script' | 'stdin', content: string): string
  /** `removeTree` removes what a command left. */
  remove(removeTree: (path: string) => Promise<void>): Promise<void>
}

type Options = {
  readonly dataDir: string
  readonly instanceId: string
  readonly user: JobUser
  readonly removeTree: (path: string) => Promise<void>
}

/** Opens the directory, empty. Throws when something that is not ours lies in its place. */
export const openScratch = async ({ dataDir, instanceId, user, removeTree }: Options): Promise<Scratch> => {
  const path = user.isOther ? `/var/tmp/millrace-${instanceId}` : join(dataDir, 'scratch')
  if (existsSync(path)) await empty(path, removeTree)
  else mkdirSync(path, { mode: 0o700 })
  if (user.isOther) chmodSync(path, 0o711)
  const own = (made: string): string => {
    if (user.isOther) chownSync(made, user.uid, user.gid)
    return made
  }
  const directories = createDirectoryPool(path, own)
  return {
    path,
    forAttempt: name => createAttemptFiles(join(path, name), { own, directories }),
    close: () => removeEmpty(path),
  }
}

/** Anyone may make things in /var/tmp: what is there is ours only when it is a directory of this user. */
const empty = async (path: string, removeTree: Options['removeTree']): Promise<void> => {
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${path} is not the server's`)
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

type Directory = { readonly path: string; readonly changedAt: bigint }

type DirectoryPool = {
  readonly take: () => Directory
  /** False when a command has changed it: then it is the caller's to remove. */
  readonly giveBack: (directory: Directory) => boolean
}

/**
 * Most commands never touch their directory, and removing one costs more than all else about a small command: one whose
 * inode has not changed since it was made is as good as new.
 */
const createDirectoryPool = (scratch: string, own: (path: string) => string): DirectoryPool => {
  const free: Directory[] = []
  let made = 0
  return {
    take: () => free.pop() ?? makeDirectory(own, join(scratch, `dir${made++}`)),
    giveBack: directory => {
      if (changedAt(directory.path) !== directory.changedAt) return false
      free.push(directory)
      return true
    },
  }
}

const makeDirectory = (own: (path: string) => string, path: string): Directory => {
  mkdirSync(path, { mode: 0o700 })
  own(path)
  return { path, changedAt: changedAt(path) }
}

const changedAt = (path: string): bigint => lstatSync(path, { bigint: true }).ctimeNs

type Tools = { readonly own: (path: string) => string; readonly directories: DirectoryPool }

const createAttemptFiles = (base: string, { own, directories }: Tools): AttemptFiles => {
  let directory: Directory | null = null
  const files: string[] = []
  return {
    makeWorkingDir: () => {
      directory ??= directories.take()
      return directory.path
    },
    write: (kind, content) => {
      const path = `${base}.${kind}`
      writeFileSync(path, content, { mode: 0o400 })
      files.push(own(path))
      return path
    },
    remove: async removeTree => {
      for (const file of files) rmSync(file, { force: true })
      if (directory !== null && !directories.giveBack(directory)) await removeTree(directory.path)
    },
  }
}
