import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MillraceError } from '../../kernel/errors.ts'
import type { GrowingFile } from '../../kernel/growing-file.ts'
import type { PutOptions, StoredBlob } from '../blob-store.ts'
import { type BlobFolder, newBlobKey, syncDirectory } from './blob-folder.ts'
import type { FileHash, FileHasher } from './file-hasher.ts'
import { toFolderFault } from './folder-fault.ts'

/** Hashed at a stretch: other files are waiting for the same thread. Less than the least is not worth asking it. */
const LEAST_BYTES = 2 * 1024 * 1024
const STRETCH_BYTES = 16 * 1024 * 1024

/** Written back to the disk while the file grows, so that little is left for the end. */
const FLUSHED_BYTES = 16 * 1024 * 1024

type Input = PutOptions & {
  readonly folder: BlobFolder
  readonly hasher: FileHasher
  /** It must have been begun: from then on its writer does not need its name. */
  readonly file: GrowingFile
}

/**
 * Makes a file that is being written a blob, without a copy: it is moved to `tmp/`, hashed and flushed behind its writer, and
 * moved to its key when it is whole. Throws as `BlobStore.put`; then nothing stays.
 * null, and nothing has been done: the file lies on another file system.
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

/** Gives the size, when all is hashed. */
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

/** Flushes now and then; `end` waits for what is under way and throws what failed. */
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
          fault = error // and none after it: a disk tells such a fault once
        },
      )
    },
    end: async (): Promise<void> => {
      await flush
      if (fault !== null) throw fault
    },
  }
}
