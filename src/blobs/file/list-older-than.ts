import type { Dirent } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type BlobFolder, isBlobKey } from './blob-folder.ts'

const PAGE_KEYS = 500

/** Pages of up to 500 keys of blobs last written before `time` (epoch ms). Removes unfinished writes of that age first. */
export async function* listOlderThan(folder: BlobFolder, time: number): AsyncIterable<readonly string[]> {
  await removeUnfinished(folder, time)
  for (const entry of await readdir(folder.root, { withFileTypes: true })) {
    if (isPrefix(entry)) yield* listFolder(join(folder.root, entry.name), time)
  }
}

const isPrefix = (entry: Dirent): boolean => entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name)

async function* listFolder(path: string, time: number): AsyncIterable<readonly string[]> {
  const keys = (await readdir(path)).filter(isBlobKey)
  for (let from = 0; from < keys.length; from += PAGE_KEYS) {
    const old = await keepOlder(path, keys.slice(from, from + PAGE_KEYS), time)
    if (old.length > 0) yield old
  }
}

const removeUnfinished = async (folder: BlobFolder, time: number): Promise<void> => {
  const names = await readdir(folder.temporary)
  for (const name of await keepOlder(folder.temporary, names, time)) {
    await rm(join(folder.temporary, name), { force: true })
  }
}

/** Sequential, because housekeeping must not occupy the threads that reads and writes need. */
const keepOlder = async (path: string, names: readonly string[], time: number): Promise<readonly string[]> => {
  const older: string[] = []
  for (const name of names) {
    const status = await stat(join(path, name)).catch(ignoreMissing)
    if (status && status.mtimeMs < time) older.push(name)
  }
  return older
}

/** It was deleted after the directory was read. */
const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}
