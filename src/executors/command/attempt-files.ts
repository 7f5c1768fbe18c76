import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
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
  /** Removes everything. */
  remove(): void
}

export interface AttemptFiles {
  /** An empty directory that only the command can enter. */
  makeWorkingDir(): string
  /** A file that the command can read. */
  write(kind: 'script' | 'stdin', content: string): string
  /** `removeTree` removes what a command left. */
  remove(removeTree: (path: string) => Promise<void>): Promise<void>
}

type Options = { readonly dataDir: string; readonly instanceId: string; readonly user: JobUser }

export const openScratch = ({ dataDir, instanceId, user }: Options): Scratch => {
  const path = user.isOther ? `/var/tmp/millrace-${instanceId}` : join(dataDir, 'scratch')
  // Whatever lies at a place where anyone may make things is not trusted: a new directory, or none.
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { mode: 0o700 })
  if (user.isOther) chmodSync(path, 0o711)
  const own = (made: string): string => {
    if (user.isOther) chownSync(made, user.uid, user.gid)
    return made
  }
  const directories = createDirectoryPool(path, own)
  return {
    path,
    forAttempt: name => createAttemptFiles(join(path, name), { own, directories }),
    remove: () => rmSync(path, { recursive: true, force: true }),
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

/** Removes a tree that belongs to the server's own user. */
export const removeOwnTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true })
