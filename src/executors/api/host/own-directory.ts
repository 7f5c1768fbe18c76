import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'

/** The directory that the server made for this host: the working directory of all its items. */
export interface OwnDirectory {
  readonly path: string
  /** Makes it the working directory again and empties it. False, with nothing removed, if something else is in its place. */
  clear(): Promise<boolean>
}

/** The form of the directory names that the server makes. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Throws unless it is an empty directory with a name as the server makes it. A safeguard, because its contents will be deleted. */
export const openOwnDirectory = (path: string): OwnDirectory => {
  const made = lstatSync(path)
  const isOurs = isAbsolute(path) && UUID.test(basename(path)) && made.isDirectory() && readdirSync(path).length === 0
  if (!isOurs) throw new Error(`${path} is no empty directory that was made for a host`)
  const real = realpathSync(path)
  process.chdir(path)

  /** Items may have moved it away and put a symlink to anywhere in its place. */
  const isStillThere = (): boolean => {
    const found = lstatSync(path)
    return found.isDirectory() && found.dev === made.dev && found.ino === made.ino
  }

  return {
    path,
    clear: async () => {
      try {
        if (!isStillThere()) return false
        if (process.cwd() !== real) process.chdir(path)
        const names = readdirSync(path)
        await Promise.all(names.map(name => rm(join(path, name), { recursive: true, force: true })))
        return true
      } catch {
        return false
      }
    },
  }
}
