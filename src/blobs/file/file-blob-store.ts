import { randomUUID } from 'node:crypto'
import { access, chmod, type FileHandle, mkdir, open, rm, writeFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { GrowingFile } from '../../kernel/growing-file.ts'
import { newId } from '../../kernel/ids.ts'
import type { BlobPart, BlobStore } from '../blob-store.ts'
import { damaged } from '../damaged.ts'
import { adoptFile } from './adopt-file.ts'
import { type BlobFolder, blobFolder, isBlobKey } from './blob-folder.ts'
import { BlobStream } from './blob-stream.ts'
import { createFileHasher } from './file-hasher.ts'
import { toFolderFault } from './folder-fault.ts'
import { listOlderThan } from './list-older-than.ts'
import { nullWhenMissing } from './null-when-missing.ts'
import { putFile } from './put-file.ts'
import { removeUnfinishedOf } from './remove-unfinished.ts'

type Options = {
  readonly directory: string
  /** Marks the unfinished files of this process: a new id at each start. */
  readonly writer?: string
  /** A writer that is certainly gone. Its unfinished files are removed. */
  readonly formerWriter?: string | null
}

/**
 * Blobs as files in one directory (created with mode 0700 if missing): `tmp/<writer>.<key>` while being written, then
 * `<first two characters of the key>/<key>`. Several servers may share it. Throws `storage_unavailable` if the directory cannot be created.
 */
export const openFileBlobStore = async (options: Options): Promise<BlobStore> => {
  const { directory, writer = newId(), formerWriter = null } = options
  const folder = blobFolder(directory, writer)
  await make(folder)
  if (formerWriter !== null) await removeUnfinishedOf(folder, formerWriter)
  const hasher = createFileHasher()
  let pinging: Promise<void> | null = null
  return {
    put: async (content, options = {}) => {
      const adopted =
        content instanceof GrowingFile ? await adoptFile({ folder, hasher, file: content, ...options }) : null
      return adopted ?? (await putFile(folder, content, options))
    },
    get: (key, part) => get(folder, key, part),
    // Not flushed: a deletion undone by a power cut leaves an orphan, and orphans are collected.
    delete: async key => {
      if (isBlobKey(key)) await remove(folder, key)
    },
    presign: async () => null,
    listOlderThan: time => listOlderThan(folder, time),
    // Concurrent callers share one: anybody may call /readyz, and each ping flushes the disk.
    ping: () => {
      pinging ??= ping(folder).finally(() => {
        pinging = null
      })
      return pinging
    },
  }
}

const make = async ({ root, temporary }: BlobFolder): Promise<void> => {
  try {
    await mkdir(temporary, { recursive: true, mode: 0o700 })
    await chmod(root, 0o700)
  } catch (error) {
    throw toFolderFault(error, root)
  }
}

const get = async (folder: BlobFolder, key: string, part: BlobPart = {}): Promise<Readable | null> => {
  if (!isBlobKey(key)) return null
  try {
    // Opened here and not by the stream on its first read, so that a later deletion does not affect this reader.
    const file = await open(folder.fileOf(key)).catch(nullWhenMissing)
    if (file === null) {
      // If the folder is not mounted, throw: the blob itself is not gone.
      await access(folder.temporary)
      return null
    }
    if (part.size !== undefined) await requireSize(file, { key, size: part.size })
    return new BlobStream(file, part)
  } catch (error) {
    throw toFolderFault(error, folder.root)
  }
}

const remove = async (folder: BlobFolder, key: string): Promise<void> => {
  await rm(folder.fileOf(key), { force: true }).catch(error => {
    throw toFolderFault(error, folder.root)
  })
}

const requireSize = async (file: FileHandle, expected: { key: string; size: number }): Promise<void> => {
  try {
    const { size } = await file.stat()
    if (size !== expected.size) throw damaged({ ...expected, found: size })
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Writes a block of data, because creating an empty file still works on many full disks. */
const ping = async (folder: BlobFolder): Promise<void> => {
  const file = folder.temporaryOf(`ping-${randomUUID()}`)
  try {
    await writeFile(file, Buffer.alloc(4096), { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    throw toFolderFault(error, folder.root)
  } finally {
    await rm(file, { force: true })
  }
}
