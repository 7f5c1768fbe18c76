import { randomBytes } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'

/** Where the files of a blob store lie. */
export type BlobFolder = {
  readonly root: string
  /** Unfinished writes. On the file system of the blobs, so that a rename moves them. */
  readonly temporary: string
  /** Where content is written until it is whole. `name` is new each time. */
  temporaryOf(name: string): string
  /** The path of a blob. The key must pass `isBlobKey`. */
  fileOf(key: string): string
  /** Makes the folder of a key when it is missing, so that it survives power loss. */
  ensureFolderOf(key: string): Promise<void>
}

const KEY = /^[0-9a-f]{32}$/

/** 128 random bits: no two blobs ever share a key, nothing in a key comes from a user. */
export const newBlobKey = (): string => randomBytes(16).toString('hex')

/** False for what can be no key of ours: such a text never becomes part of a path. */
export const isBlobKey = (text: string): boolean => KEY.test(text)

/** Flushes the entries of a directory: a rename into it survives power loss only after this. */
export const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The layout below `root`. Touches nothing. `writer` is the mark of this process on what it has not finished. */
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
      // A failure (a full disk) is not remembered: the next blob tries again.
      making.catch(() => made.delete(folder))
      return making
    },
  }
}

/** Flushes even what exists: the process that made it may have been killed in between. */
const makeFolder = async (root: string, folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncDirectory(root)
}
