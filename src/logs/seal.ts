import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { LogPart } from '../model/log-line.ts'
import type { Extent } from './chunk-batch.ts'

/** Size at which a spool file is sealed. A segment may exceed it by at most one batch. */
export const SEGMENT_BYTES = 4 * 1024 * 1024

/** Upper limit for the unpacked size of a segment. We never seal more. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/**
 * zlib runs in the thread pool, with one round trip per `chunkSize` of output: the default of 16 KiB would mean hundreds per segment. Level 1 still
 * shrinks logs to a tenth, at twice the speed of level 3.
 */
const COMPRESSION = { chunkSize: 128 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Compresses encoded chunks and stores them as one segment in the blob store. */
export const seal = async (input: {
  readonly blobs: BlobStore
  readonly attempt: number
  readonly bytes: Buffer
  readonly extent: Extent
}): Promise<LogPart> => {
  const packed = await compress(input.bytes, COMPRESSION)
  const { key } = await input.blobs.put(once(packed))
  return { ...partOf(input.attempt, input.extent), data: null, blobKey: key }
}

/** The same chunks as an inline part, stored in the database. */
export const inline = (input: {
  readonly attempt: number
  readonly bytes: Uint8Array
  readonly extent: Extent
}): LogPart => ({ ...partOf(input.attempt, input.extent), data: input.bytes, blobKey: null })

const partOf = (attempt: number, extent: Extent) => ({
  firstSeq: extent.firstSeq,
  lastSeq: extent.nextSeq - 1,
  attempt,
  firstAt: extent.firstAt,
  lastAt: extent.lastAt,
  bytes: extent.textBytes,
})

/** The chunks of a sealed segment, or null if the blob is gone. */
export const unseal = async (blobs: BlobStore, blobKey: string): Promise<Buffer | null> => {
  const content = await blobs.get(blobKey)
  if (content === null) return null
  const packed: Buffer[] = []
  for await (const piece of content) packed.push(piece as Buffer)
  return decompress(Buffer.concat(packed), { chunkSize: 1024 * 1024, maxOutputLength: MAX_UNPACKED_BYTES })
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}
