import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { LogPart } from '../model/log-line.ts'
import type { Extent } from './chunk-batch.ts'

/** A spool file is sealed when it has grown to this; what lies in a segment is at most one batch more. */
export const SEGMENT_BYTES = 4 * 1024 * 1024

/** Nothing we sealed is larger than this when unpacked. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/**
 * zlib works in the pool of threads, one visit per `chunkSize` of output: the default of 16 KiB would mean hundreds of
 * visits a segment. Level 1: logs shrink to a tenth all the same, at twice the speed of level 3.
 */
const COMPRESSION = { chunkSize: 128 * 1024, params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Puts encoded chunks into the blob store as one compressed segment. */
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

/** The same chunks as a part that lies in the database. */
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

/** The chunks of a sealed segment; null when the blob is gone. */
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
