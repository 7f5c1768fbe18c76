import { randomBytes } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'

/** The paths of a blob store's files. */
export type BlobFolder = {
  readonly root: string
  /** Unfinished writes. On the same file system as the blobs, so that a rename can move them. */
  readonly temporary: string
  /** Where content is written until complete. `name` is unique. */
  temporaryOf(name: string): string
  /** The path of a blob. The key must pass `isBlobKey`. */
  fileOf(key: string): string
  /** Creates the folder of a key if missing, such that it survives power loss. */
  ensureFolderOf(key: string): Promise<void>
}

const KEY = /^[0-9a-f]{32}$/

/** 128 random bits: keys never collide, and nothing in a key comes from a user. */
export const newBlobKey = (): string => randomBytes(16).toString('hex')

/** False for a text that cannot be one of our keys. Such a text never becomes part of a path. */
export const isBlobKey = (text: string): boolean => KEY.test(text)

/** Flushes the entries of a directory. A rename into it survives power loss only after this. */
export const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The layout below `root`. Does no I/O. `writer` marks the unfinished files of this process. */
export const blobFolder = (root: string, writer: string): BlobFolder => {
  const made = new Map<string, Promise<void>>()
  const temporary = join(root, 'tmp')
  const prefixOf = (key: string): string => join(root, key.slice(0, 2))
  return {
    root,
    temporary,
    temporaryOf: name => join(temporary, `${writer}.${name}`),
    fileOf: key => join(prefixOf(key), key),
    ensureFolderOf: key => {
      const folder = prefixOf(key)
      const making = made.get(folder) ?? makeFolder(root, folder)
      made.set(folder, making)
      // Do not cache a failure (such as a full disk): the next blob retries.
      making.catch(() => made.delete(folder))
      return making
    },
  }
}

/** Flushes even if the folder exists: the process that created it may have been killed before its own flush. */
const makeFolder = async (root: string, folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncDirectory(root)
}
