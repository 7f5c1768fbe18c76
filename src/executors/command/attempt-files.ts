import { chmodSync, chownSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
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
  /** `removeTree` empties a directory with the rights of the command's user. */
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
  return {
    path,
    forAttempt: name => createAttemptFiles(join(path, name), own),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

const createAttemptFiles = (base: string, own: (path: string) => string): AttemptFiles => {
  let workingDir: string | null = null
  const files: string[] = []
  return {
    makeWorkingDir: () => {
      mkdirSync(base, { mode: 0o700 })
      workingDir = own(base)
      return base
    },
    write: (kind, content) => {
      const path = `${base}.${kind}`
      writeFileSync(path, content, { mode: 0o400 })
      files.push(own(path))
      return path
    },
    remove: async removeTree => {
      for (const file of files) rmSync(file, { force: true })
      if (workingDir !== null && !tryRemoveEmpty(workingDir)) await removeTree(workingDir)
    },
  }
}

const tryRemoveEmpty = (path: string): boolean => {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** Removes a tree that belongs to the server's own user. */
export const removeOwnTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true })
