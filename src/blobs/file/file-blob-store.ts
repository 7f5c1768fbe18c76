import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { GrowingFile } from '../../kernel/growing-file.ts'
import type { BlobStore } from '../blob-store.ts'
import { adoptFile } from './adopt-file.ts'
import { type BlobFolder, blobFolder, isBlobKey } from './blob-folder.ts'
import { BlobStream } from './blob-stream.ts'
import { createFileHasher } from './file-hasher.ts'
import { listOlderThan } from './list-older-than.ts'
import { putFile } from './put-file.ts'

/**
 * Blobs as files of one directory (made with mode 0700 when missing): `tmp/` while they are written, then
 * `<first two characters of the key>/<key>`. Several servers may share it. Rejects when the directory cannot be made.
 */
export const openFileBlobStore = async (options: { directory: string }): Promise<BlobStore> => {
  const folder = blobFolder(options.directory)
  await mkdir(folder.temporary, { recursive: true, mode: 0o700 })
  await chmod(folder.root, 0o700)
  const hasher = createFileHasher()
  let pinging: Promise<void> | null = null
  return {
    put: async (content, options = {}) => {
      const adopted =
        content instanceof GrowingFile ? await adoptFile({ folder, hasher, file: content, ...options }) : null
      return adopted ?? (await putFile(folder, content, options))
    },
    get: (key, range) => get(folder, key, range),
    // Not flushed: a deletion that a power cut undoes leaves an orphan, and orphans are collected.
    delete: async key => {
      if (isBlobKey(key)) await rm(folder.fileOf(key), { force: true })
    },
    presign: async () => null,
    listOlderThan: time => listOlderThan(folder, time),
    // Callers at the same time share one: anybody may ask /readyz, and each one flushes the disk.
    ping: () => {
      pinging ??= ping(folder).finally(() => {
        pinging = null
      })
      return pinging
    },
  }
}

const get = async (
  folder: BlobFolder,
  key: string,
  range?: { start: number; end: number },
): Promise<Readable | null> => {
  if (!isBlobKey(key)) return null
  // Opened here and not by the stream on its first read: a deletion from now on does not touch this reader.
  const file = await open(folder.fileOf(key)).catch(nullWhenMissing)
  if (file === null) return null
  return new BlobStream(file, range)
}

const nullWhenMissing = (error: NodeJS.ErrnoException): null => {
  if (error.code !== 'ENOENT') throw error
  return null
}

/** A block of data, for creating an empty file still works on many full disks. */
const ping = async (folder: BlobFolder): Promise<void> => {
  const file = join(folder.temporary, `ping-${randomUUID()}`)
  try {
    await writeFile(file, Buffer.alloc(4096), { flag: 'wx', mode: 0o600, flush: true })
  } finally {
    await rm(file, { force: true })
  }
}
