import { constants, type Stats } from 'node:fs'
import { access, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'
import { isWithin } from './sandbox.ts'

/** A regular file below the root. */
export type FoundFile = {
  /** Raw bytes, because a name need not be UTF-8. */
  readonly path: Buffer
  /** The path as text. Bytes that are not UTF-8 are replaced. */
  readonly name: string
}

/** A user whose access is judged by the mode of a file, whatever the server itself may do. */
export type FileReader = { readonly uid: number; readonly gid: number }

type Walk = {
  readonly globs: readonly string[]
  /** A directory path without symlinks. */
  readonly root: string
  /** Whose file permissions apply. Null: the server's own. */
  readonly reader: FileReader | null
  /** Directories of the server. Nothing in them is found. */
  readonly forbidden: readonly string[]
}

/** Finds regular files whose relative path matches a glob, in directories that the reader may list. Follows no symlinks. */
export async function* findFiles({ globs, root, reader, forbidden }: Walk): AsyncGenerator<FoundFile> {
  // Flag `s` makes `**` match names with a line feed, too.
  const matches = picomatch([...globs], { flags: 's' })
  const bases = globs.map(glob => picomatch.scan(glob).base)
  const closed = [...forbidden.filter(place => isWithin(place, root)), PROC]
  const waiting: FoundFile[] = [{ path: Buffer.alloc(0), name: '' }]
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (closed.some(place => isWithin(join(root, directory.name), place))) continue
    for (const entry of await list(Buffer.concat([Buffer.from(`${root}/`), directory.path]), reader)) {
      const file = below(directory, entry.name)
      if (entry.isDirectory() && bases.some(base => onTheWay(file.name, base))) waiting.push(file)
      else if (entry.isFile() && matches(file.name)) yield file
    }
  }
}

/** Through /proc the server could read data of itself and of other commands that a sandboxed command cannot. */
const PROC = '/proc'

const SLASH = Buffer.from('/')

const below = ({ path: parent }: FoundFile, entry: Buffer): FoundFile => {
  const path = parent.length === 0 ? entry : Buffer.concat([parent, SLASH, entry])
  return { path, name: path.toString() }
}

/** Whether files below the directory can match a glob with the fixed prefix `base`. */
const onTheWay = (directory: string, base: string): boolean =>
  base === '' || base === '.' || isBelow(directory, base) || isBelow(base, directory)

const isBelow = (path: string, directory: string): boolean => `${path}/`.startsWith(`${directory}/`)

/** Returns [] if the reader may not list the directory or it no longer exists: other jobs may be changing it. */
const list = async (path: Buffer, reader: FileReader | null) => {
  if (!(await canList(path, reader))) return []
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES'])

const canList = (path: Buffer, reader: FileReader | null): Promise<boolean> =>
  (reader !== null
    ? lstat(path).then(status => mayAccess(status, reader, 0o5))
    : access(path, constants.R_OK | constants.X_OK).then(() => true)
  ).catch(() => false)

/** Checks the mode bits only. An ACL may deny more than they show, but grants nothing beyond them. */
export const mayAccess = ({ mode, uid, gid }: Stats, reader: FileReader | null, bits: number): boolean => {
  if (reader === null) return true
  const shift = uid === reader.uid ? 6 : gid === reader.gid ? 3 : 0
  return ((mode >> shift) & bits) === bits
}
