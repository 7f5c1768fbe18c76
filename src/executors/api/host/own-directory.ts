import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'

/** The directory that the server has made for this host: the working one of all its items. */
export interface OwnDirectory {
  readonly path: string
  /** Makes it the working one again, and empty. False, and nothing is removed, when something else lies in its place. */
  clear(): Promise<boolean>
}

/** As the server names what it makes. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Throws for what the server has not made for a host: a directory with such a name, and empty. All that is in it will be removed. */
export const openOwnDirectory = (path: string): OwnDirectory => {
  const made = lstatSync(path)
  const isOurs = isAbsolute(path) && UUID.test(basename(path)) && made.isDirectory() && readdirSync(path).length === 0
  if (!isOurs) throw new Error(`${path} is no empty directory that was made for a host`)
  const real = realpathSync(path)
  process.chdir(path)

  /** Items may have moved it away and put a link to anything there. */
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
