import type { BlobStore } from '../blobs/blob-store.ts'
import { isDiskFull } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Lease } from '../model/job.ts'
import { INLINE_LOG_BYTES, LOG_STREAMS, type LogPart, type LogStream } from '../model/log-line.ts'
import { CHUNK_HEADER_BYTES, type Chunk, chunksIn, nextSeqOf, writeChunk } from './chunk.ts'
import { type Extent, extentOf, joinExtents } from './chunk-batch.ts'
import { inline, seal } from './seal.ts'
import type { SpoolFolder } from './spool-folder.ts'

type Lost = { readonly lease: Lease; readonly nextLogSeq: number }
type Dependencies = { readonly folder: SpoolFolder; readonly blobs: BlobStore; readonly logger: Logger }

/**
 * What a crash left in an attempt's spool files that the store does not have yet, as parts: small ones inline, others sealed. A torn last chunk is dropped.
 * An unfinished line becomes a line.
 */
export const recover = async (dependencies: Dependencies, { lease, nextLogSeq }: Lost): Promise<LogPart[]> => {
  const salvage = new Salvage(nextLogSeq)
  const parts: LogPart[] = []
  for await (const file of dependencies.folder.read(lease.jobId, lease.attempt)) {
    const found = salvage.take(file)
    if (found !== null) parts.push(await toPart(dependencies, lease, found))
  }
  const rest = salvage.unfinishedLines(lease.attempt)
  if (rest !== null) parts.push(inline({ attempt: lease.attempt, ...rest }))
  return parts
}

type Found = { readonly bytes: Buffer; readonly extent: Extent }

const toPart = async ({ blobs, logger }: Dependencies, lease: Lease, found: Found): Promise<LogPart> => {
  const content = { attempt: lease.attempt, ...found }
  if (found.bytes.length <= INLINE_LOG_BYTES) return inline(content)
  try {
    return await seal({ blobs, ...content })
  } catch (error) {
    // Nobody recovers it a second time. On a full disk, the database has no room either.
    if (isDiskFull(error)) throw error
    logger.warn({ err: error, job_id: lease.jobId }, 'a recovered log could not be sealed; it goes into the database')
    return inline(content)
  }
}

/** Reads spool files in order, as long as their lines are consecutive. */
class Salvage {
  #nextSeq: number
  #lastAt = 0
  readonly #unfinished: Record<LogStream, Buffer[]> = { stdout: [], stderr: [] }

  constructor(nextSeq: number) {
    this.#nextSeq = nextSeq
  }

  take(file: Buffer): Found | null {
    const kept: Buffer[] = []
    let extent: Extent | null = null
    for (const chunk of chunksIn(file)) {
      if (chunk.ending !== 'partial' && nextSeqOf(chunk) <= this.#nextSeq) continue
      if (chunk.firstSeq > this.#nextSeq) break
      this.#note(chunk)
      if (chunk.ending === 'partial') continue
      kept.push(file.subarray(chunk.offset, chunk.end))
      extent = joinExtents(extent, extentOf(chunk))
    }
    return extent === null ? null : { bytes: Buffer.concat(kept), extent }
  }

  unfinishedLines(attempt: number): Found | null {
    const pieces: Buffer[] = []
    let extent: Extent | null = null
    for (const stream of LOG_STREAMS) {
      if (this.#unfinished[stream].length === 0) continue
      const text = Buffer.from(Buffer.concat(this.#unfinished[stream]).toString())
      const header = {
        stream,
        ending: 'open',
        attempt,
        firstSeq: this.#nextSeq++,
        count: 1,
        timestamp: this.#lastAt,
      } as const
      const piece = Buffer.alloc(CHUNK_HEADER_BYTES + text.length)
      writeChunk(piece, 0, header, text)
      pieces.push(piece)
      extent = joinExtents(extent, extentOf({ ...header, text }))
    }
    return extent === null ? null : { bytes: Buffer.concat(pieces), extent }
  }

  #note(chunk: Chunk): void {
    this.#lastAt = chunk.timestamp
    if (chunk.ending === 'partial') this.#unfinished[chunk.stream].push(chunk.text)
    else this.#unfinished[chunk.stream] = []
    this.#nextSeq = Math.max(this.#nextSeq, nextSeqOf(chunk))
  }
}
