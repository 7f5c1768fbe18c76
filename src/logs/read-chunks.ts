import { MillraceError } from '../kernel/errors.ts'
import type { JobStatus } from '../model/job-status.ts'
import type { LogPart } from '../model/log-line.ts'
import type { LogIndex, Store } from '../store/store.ts'
import type { SpooledAttemptLog } from './attempt-log.ts'
import type { Segments } from './segments.ts'

/** Roughly how much of a log is read at once. */
const READ_BYTES = 256 * 1024
const PARTS_A_QUERY = 64

export type ChunkPlace = {
  readonly workspace: string
  readonly jobId: string
  readonly fromSeq: number
  /** Only lines of this attempt are needed; others may be omitted. */
  readonly attempt?: number
}

export type ChunkRead =
  /** Complete chunks. The first line from `fromSeq` on is near their beginning. */
  | { readonly type: 'chunks'; readonly bytes: Buffer }
  /** There is no such line yet, or never will be if the job has ended. */
  | { readonly type: 'none'; readonly status: JobStatus; readonly purged: boolean }
  | { readonly type: 'no_job' }

type Options = {
  readonly store: Store
  readonly segments: Segments
  /** The running attempt of a job if this process can read its spool. */
  readonly liveLog: (jobId: string) => SpooledAttemptLog | undefined
}

/**
 * Finds lines by seq, wherever they are: in this process's spool, in the store, or in a segment. Lines move from the spool to the store and never back, so
 * if they are found in neither, look again.
 */
export class ChunkReader {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  async read(place: ChunkPlace): Promise<ChunkRead> {
    for (;;) {
      const spooled = await this.#readSpool(place)
      if (spooled !== null) return { type: 'chunks', bytes: spooled }
      const index = await this.#options.store.listLogParts({
        workspace: place.workspace,
        jobId: place.jobId,
        fromSeq: place.fromSeq,
        limit: PARTS_A_QUERY,
      })
      if (index === null) return { type: 'no_job' }
      const stored = await this.#readParts(index, place)
      if (stored !== null) return { type: 'chunks', bytes: stored }
      const skipped = place.attempt === undefined || index.parts.length === 0 ? null : index.parts.at(-1)!.lastSeq + 1
      if (skipped !== null) return this.read({ ...place, fromSeq: skipped })
      if (index.parts.length === 0 && !this.#liveLog(place)?.holds(place.fromSeq))
        return { type: 'none', status: index.status, purged: index.purged }
    }
  }

  #liveLog({ workspace, jobId, attempt }: ChunkPlace): SpooledAttemptLog | undefined {
    const log = this.#options.liveLog(jobId)
    if (log?.workspace !== workspace) return undefined
    return attempt === undefined || log.lease.attempt === attempt ? log : undefined
  }

  async #readSpool(place: ChunkPlace): Promise<Buffer | null> {
    const log = this.#liveLog(place)
    return log?.holds(place.fromSeq) ? log.read(place.fromSeq, READ_BYTES) : null
  }

  async #readParts(index: LogIndex, { fromSeq, attempt }: ChunkPlace): Promise<Buffer | null> {
    const wanted = index.parts.filter(part => attempt === undefined || part.attempt === attempt)
    const [first] = wanted
    if (first === undefined) return null
    if (first.blobKey === null) return inlineBytes(wanted)
    const segment = await this.#options.segments.get(first.blobKey)
    if (segment === null)
      throw new MillraceError(
        'content_damaged',
        `A part of the log, the blob ${first.blobKey}, is gone from the blob store.`,
      )
    return segment.readFrom(Math.max(fromSeq, first.firstSeq), READ_BYTES)
  }
}

/** The leading inline parts, up to about `READ_BYTES`. */
const inlineBytes = (parts: readonly LogPart[]): Buffer => {
  const pieces: Uint8Array[] = []
  let size = 0
  for (const { data } of parts) {
    if (data === null || size >= READ_BYTES) break
    pieces.push(data)
    size += data.length
  }
  return Buffer.concat(pieces)
}
