import { constants, type Stats } from 'node:fs'
import { access, type FileHandle, open, readdir, readlink, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'
import type { JobUser } from './job-user.ts'
import { isWithin } from './sandbox.ts'

type Input = {
  readonly globs: readonly string[]
  readonly directory: string
  readonly user: JobUser
  /** Directories of the server: nothing in them is an artifact. */
  readonly forbidden: readonly string[]
  /** Once true nothing more is collected. */
  readonly stopped: () => boolean
  readonly add: (file: { name: string; path: string }) => Promise<unknown>
}

/** A glob like `**` below a large tree is a mistake that should be told, not carried out. */
const MOST_FILES = 10_000

/**
 * Collects regular files below the working directory whose relative path matches a glob. The server may have more rights than
 * the command, so it takes only what the command's user may read, follows no link, and reads the very file that it
 * has checked, whatever other jobs of that user do to the path meanwhile. Rejects when a file cannot be taken.
 */
export const collectArtifacts = async (input: Input): Promise<void> => {
  const root = await realpath(input.directory)
  const names: string[] = []
  for await (const name of findFiles({ ...input, root })) {
    if (names.push(name) > MOST_FILES) throw new Error(`more than ${MOST_FILES} files match the artifacts`)
  }
  for (const name of names.sort()) {
    if (input.stopped()) return
    await addFile(root, name, input)
  }
}

type Walk = Pick<Input, 'globs' | 'user' | 'forbidden'> & { readonly root: string }

async function* findFiles({ globs, root, user, forbidden }: Walk): AsyncGenerator<string> {
  const matches = picomatch([...globs])
  const bases = globs.map(glob => picomatch.scan(glob).base)
  const closed = forbidden.filter(place => isWithin(place, root))
  const waiting = ['']
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const path = join(root, directory)
    if (closed.includes(path) || !(await canList(path, user))) continue
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const name = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory() && bases.some(base => onTheWay(name, base))) waiting.push(name)
      else if (entry.isFile() && matches(name)) yield name
    }
  }
}

/** Whether files below a directory can match a glob whose fixed part is `base`. */
const onTheWay = (directory: string, base: string): boolean =>
  base === '' || base === '.' || isBelow(directory, base) || isBelow(base, directory)

const isBelow = (path: string, directory: string): boolean => `${path}/`.startsWith(`${directory}/`)

const canList = async (path: string, user: JobUser): Promise<boolean> => {
  if (user.isOther) return mayAccess(await stat(path), user, 0o5)
  return access(path, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
}

const addFile = async (root: string, name: string, { user, add }: Input): Promise<void> => {
  const path = join(root, name)
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const status = await file.stat()
    if (!status.isFile() || (await pathOf(file, path)) !== path) throw new Error(`${name} was moved while it was read`)
    if (!mayAccess(status, user, 0o4)) throw new Error(`${name} cannot be read by the user of the command`)
    await add({ name, path: process.platform === 'linux' ? `/proc/self/fd/${file.fd}` : path })
  } finally {
    await file.close()
  }
}

/** Where an open file lies: a directory on the way may have been exchanged for a link. */
const pathOf = (file: FileHandle, path: string): Promise<string> =>
  process.platform === 'linux' ? readlink(`/proc/self/fd/${file.fd}`) : realpath(path)

/** By the mode bits alone: an access list may refuse more than this sees, and grants nothing that it does not. */
const mayAccess = ({ mode, uid, gid }: Stats, user: JobUser, bits: number): boolean => {
  if (!user.isOther) return true
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
  return ((mode >> shift) & bits) === bits
}
