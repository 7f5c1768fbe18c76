import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MillraceError } from '../../kernel/errors.ts'
import type { GrowingFile } from '../../kernel/growing-file.ts'
import type { PutOptions, StoredBlob } from '../blob-store.ts'
import { type BlobFolder, newBlobKey, syncDirectory } from './blob-folder.ts'
import type { FileHash, FileHasher } from './file-hasher.ts'
import { toFolderFault } from './folder-fault.ts'

/** Hashing step sizes. The maximum is limited because other files wait for the same thread. Fewer bytes than the minimum are not worth a message to it. */
const LEAST_BYTES = 2 * 1024 * 1024
const STRETCH_BYTES = 16 * 1024 * 1024

/** Flush interval in bytes while the file grows, so that little is left for the end. */
const FLUSHED_BYTES = 16 * 1024 * 1024

type Input = PutOptions & {
  readonly folder: BlobFolder
  readonly hasher: FileHasher
  /** Writing must have begun: from then on, the writer no longer needs the file's name. */
  readonly file: GrowingFile
}

/**
 * Turns a file that is still being written into a blob, without copying it. The file is moved to `tmp/`, hashed and flushed while it grows, and moved to its
 * key once complete. Throws like `BlobStore.put`; nothing remains then. Returns null, having done nothing, if the file is on another file system.
 */
export const adoptFile = async ({ folder, hasher, file, ...options }: Input): Promise<StoredBlob | null> => {
  const key = newBlobKey()
  try {
    if (!(await moved(file, folder.temporaryOf(key)))) return null
    const written = await follow({ file, hash: hasher.open(file.handle.fd), ...options })
    options.signal?.throwIfAborted()
    await folder.ensureFolderOf(key)
    await file.moveTo(folder.fileOf(key))
    await syncDirectory(dirname(folder.fileOf(key)))
    await file.close()
    return { key, ...written }
  } catch (error) {
    await file.remove().catch(() => {})
    throw toFolderFault(error, folder.root)
  }
}

const moved = async (file: GrowingFile, path: string): Promise<boolean> => {
  try {
    await file.moveTo(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return false
    throw error
  }
}

type Following = PutOptions & { readonly file: GrowingFile; readonly hash: FileHash }

const follow = async ({ file, hash, ...options }: Following): Promise<{ sha256: string; size: number }> => {
  const flushing = flushBehind(file.handle)
  try {
    const size = await hashBehind({ file, hash, ...options }, flushing.reached)
    await flushing.end()
    await file.handle.sync()
    return { sha256: await hash.end(), size }
  } catch (error) {
    await hash.end().catch(() => {})
    throw error
  }
}

/** Returns the size once everything is hashed. */
const hashBehind = async (
  { file, hash, maxBytes = Number.POSITIVE_INFINITY, signal }: Following,
  reached: (size: number) => void,
): Promise<number> => {
  for (let at = 0; ; ) {
    signal?.throwIfAborted()
    const { size, isWhole } = await file.growBeyond(Math.min(at + LEAST_BYTES, maxBytes))
    if (size > maxBytes) throw new MillraceError('too_large', `At most ${maxBytes} bytes are stored here.`)
    reached(size)
    const to = Math.min(size, at + STRETCH_BYTES)
    await hash.add(at, to)
    at = to
    if (isWhole && at === size) return size
  }
}

/** Flushes from time to time. `end` waits for the flush in flight and throws if one failed. */
const flushBehind = (handle: FileHandle) => {
  let flushed = 0
  let fault: unknown = null
  let flush: Promise<void> | null = null
  return {
    reached: (size: number): void => {
      if (flush !== null || size - flushed < FLUSHED_BYTES) return
      flushed = size
      flush = handle.datasync().then(
        () => {
          flush = null
        },
        error => {
          fault = error // and no further flush: a disk reports such an error only once
        },
      )
    },
    end: async (): Promise<void> => {
      await flush
      if (fault !== null) throw fault
    },
  }
}
