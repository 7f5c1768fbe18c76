import { isEnded } from '../model/job-status.ts'
import type { LogLine } from '../model/log-line.ts'
import type { Store } from '../store/store.ts'
import { type Chunk, chunksIn, nextSeqOf } from './chunk.ts'
import { linesOf } from './decode-lines.ts'
import type { LogPage, LogQuery } from './job-logs.ts'
import type { ChunkReader } from './read-chunks.ts'
import { storedEnd } from './stored-parts.ts'

/** Roughly how much of a log one call reads. A search with few hits returns a short page, and the next call continues from there. */
const SCAN_BYTES = 8 * 1024 * 1024
/** Lines decoded at once, because a chunk may hold very many short lines. */
const DECODE_LINES = 4096

type PageQuery = LogQuery & {
  readonly after: number
  readonly limit: number
  /** Only lines below this seq. */
  readonly before?: number
}

/** The seq after the last line in this process's spool, or 1 if there is none. */
export type LiveEnd = (job: { readonly workspace: string; readonly jobId: string }) => number

/** Lines after `after`, at most `limit`. null: no such job. */
export const readPage = async (reader: ChunkReader, query: PageQuery): Promise<LogPage | null> => {
  const collector = new Collector(query)
  for (let scanned = 0; scanned < SCAN_BYTES && !collector.full; ) {
    const read = await reader.read({ ...query, fromSeq: collector.next })
    if (read.type === 'no_job') return null
    if (read.type === 'none')
      return {
        lines: collector.lines,
        nextAfter: isEnded(read.status) ? null : collector.next - 1,
        purged: read.purged,
      }
    collector.take(read.bytes)
    scanned += read.bytes.length
  }
  const nextAfter = (await isLast(reader, query, collector.next)) ? null : collector.next - 1
  return { lines: collector.lines, nextAfter, purged: false }
}

const isLast = async (reader: ChunkReader, query: PageQuery, next: number): Promise<boolean> => {
  const read = await reader.read({ ...query, fromSeq: next })
  return read.type === 'none' && isEnded(read.status)
}

/** Collects the lines that match a query from chunks. */
class Collector {
  readonly lines: LogLine[] = []
  /** The seq after the last line examined. */
  next: number
  readonly #query: PageQuery
  readonly #needle: string | null
  readonly #before: number

  constructor(query: PageQuery) {
    this.#before = query.before ?? Number.POSITIVE_INFINITY
    this.#query = query
    this.#needle = query.q?.toLowerCase() ?? null
    this.next = query.after + 1
  }

  get full(): boolean {
    return this.lines.length >= this.#query.limit || this.next >= this.#before
  }

  take(bytes: Buffer): void {
    for (const chunk of chunksIn(bytes)) {
      if (this.full) return
      if (nextSeqOf(chunk) <= this.next) continue
      if (this.#mayMatch(chunk)) this.#takeLines(chunk)
      else this.next = nextSeqOf(chunk)
    }
  }

  #mayMatch(chunk: Chunk): boolean {
    const { stream, attempt } = this.#query
    if (stream !== undefined && chunk.stream !== stream) return false
    if (attempt !== undefined && chunk.attempt !== attempt) return false
    return this.#needle === null || chunk.text.toString().toLowerCase().includes(this.#needle)
  }

  #takeLines(chunk: Chunk): void {
    this.next = Math.max(this.next, chunk.firstSeq)
    while (!this.full && this.next < nextSeqOf(chunk)) {
      const room = this.#needle === null ? this.#query.limit - this.lines.length : DECODE_LINES
      const wanted = Math.min(room, this.#before - this.next)
      for (const line of linesOf(chunk, this.next, wanted)) {
        if (this.full) return
        this.next = line.seq + 1
        if (this.#needle === null || line.line.toLowerCase().includes(this.#needle)) this.lines.push(line)
      }
    }
  }
}

/**
 * The last lines of a log. Reads ranges from the end backwards, each twice as long as the one before, until there are enough lines or the read limit of one
 * call is reached.
 */
export const readTail = async (
  { reader, store, liveEnd }: { reader: ChunkReader; store: Store; liveEnd: LiveEnd },
  query: LogQuery & { readonly tail: number },
): Promise<LogPage | null> => {
  const index = await store.listLogParts({ workspace: query.workspace, jobId: query.jobId, fromSeq: 1, limit: 1 })
  if (index === null) return null
  const end = Math.max(liveEnd(query), await storedEnd(store, query))
  let lines: LogLine[] = []
  let scanned = 0
  let to = end
  for (let length = query.tail; to > 1 && lines.length < query.tail && scanned < SCAN_BYTES; length *= 2) {
    const from = Math.max(1, to - length)
    const stretch = await readStretch(reader, { ...query, from, to })
    lines = [...stretch.lines, ...lines]
    scanned += stretch.scanned
    to = from
  }
  const nextAfter = isEnded(index.status) ? null : end - 1
  return { lines: lines.slice(-query.tail), nextAfter, purged: index.purged }
}

const readStretch = async (
  reader: ChunkReader,
  { from, to, ...query }: LogQuery & { readonly from: number; readonly to: number },
): Promise<{ lines: LogLine[]; scanned: number }> => {
  const collector = new Collector({ ...query, after: from - 1, before: to, limit: Number.POSITIVE_INFINITY })
  let scanned = 0
  while (!collector.full) {
    const read = await reader.read({ ...query, fromSeq: collector.next })
    if (read.type !== 'chunks') break
    collector.take(read.bytes)
    scanned += read.bytes.length
  }
  return { lines: collector.lines, scanned }
}
