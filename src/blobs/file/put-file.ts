import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MillraceError } from '../../kernel/errors.ts'
import type { PutOptions, StoredBlob } from '../blob-store.ts'
import { type BlobFolder, newBlobKey, syncDirectory } from './blob-folder.ts'
import { toFolderFault } from './folder-fault.ts'

/** Small chunks are gathered into blocks of this size and large ones cut: one write and 0.2 ms of hashing per turn of the event loop. */
const BLOCK_BYTES = 256 * 1024

/** Writes a blob atomically: to `tmp/`, flushed, moved to its key, directory flushed. Throws like `BlobStore.put`. */
export const putFile = async (
  folder: BlobFolder,
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredBlob> => {
  const key = newBlobKey()
  const temporary = folder.temporaryOf(key)
  const limited = limit(content, options)
  try {
    const written = await write(temporary, limited.content)
    await folder.ensureFolderOf(key)
    await rename(temporary, folder.fileOf(key))
    await syncDirectory(dirname(folder.fileOf(key)))
    return { key, ...written }
  } catch (error) {
    await discard([temporary, folder.fileOf(key)])
    throw limited.fault === null ? toFolderFault(error, folder.root) : limited.fault.error
  }
}

/** If even this fails, `listOlderThan` and garbage collection remove the files within a day. The first error matters more. */
const discard = async (files: readonly string[]): Promise<void> => {
  await Promise.allSettled(files.map(file => rm(file, { force: true })))
}

/** `fault` is the error of the content or the reason it was refused, as opposed to a disk error. */
const limit = (
  source: AsyncIterable<Uint8Array>,
  { maxBytes = Number.POSITIVE_INFINITY, signal }: PutOptions,
): { readonly content: AsyncIterable<Uint8Array>; readonly fault: { readonly error: unknown } | null } => {
  let fault: { readonly error: unknown } | null = null
  async function* content(): AsyncIterable<Uint8Array> {
    let size = 0
    try {
      for await (const chunk of source) {
        signal?.throwIfAborted()
        size += chunk.length
        if (size > maxBytes) throw new MillraceError('too_large', `At most ${maxBytes} bytes are stored here.`)
        yield chunk
      }
    } catch (error) {
      fault = { error }
      throw error
    }
  }
  return {
    content: content(),
    get fault() {
      return fault
    },
  }
}

const write = async (path: string, content: AsyncIterable<Uint8Array>): Promise<{ sha256: string; size: number }> => {
  const hash = createHash('sha256')
  const file = await open(path, 'wx', 0o600)
  try {
    let size = 0
    for await (const block of inBlocks(content)) {
      const writing = writeAll(file, block)
      hash.update(block) // while a pool thread writes
      await writing
      size += block.length
    }
    await file.sync()
    return { sha256: hash.digest('hex'), size }
  } finally {
    await file.close()
  }
}

/** The same bytes in blocks of `BLOCK_BYTES`. Each block is valid until the next is requested. */
async function* inBlocks(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let filled = 0
  for await (const chunk of content) {
    for (let taken = 0; taken < chunk.length; ) {
      const piece = chunk.subarray(taken, taken + BLOCK_BYTES - filled)
      block.set(piece, filled)
      filled += piece.length
      taken += piece.length
      if (filled < BLOCK_BYTES) continue
      yield block
      filled = 0
    }
  }
  if (filled > 0) yield block.subarray(0, filled)
}

/** A write may be short, in particular on a disk that is filling up. */
const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done)
    done += bytesWritten
  }
}
