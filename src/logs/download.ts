import { isEnded } from '../model/job-status.ts'
import type { Store } from '../store/store.ts'
import { type Chunk, chunksIn, nextSeqOf } from './chunk.ts'
import { linesOf } from './decode-lines.ts'
import type { LogQuery } from './job-logs.ts'
import { lineEncoder } from './line-json.ts'
import type { LiveEnd } from './page.ts'
import type { ChunkReader } from './read-chunks.ts'
import { storedEnd } from './stored-parts.ts'

const NEWLINE = Buffer.from('\n')
/** Maximum number of lines decoded at once. */
const LINES_A_PIECE = 2048

type Dependencies = { readonly reader: ChunkReader; readonly store: Store; readonly liveEnd: LiveEnd }
type DownloadQuery = LogQuery & { readonly format: 'text' | 'ndjson' }

/** The current contents of a log, from the beginning. See `JobLogs.download`. */
export const download = async (
  { reader, store, liveEnd }: Dependencies,
  query: DownloadQuery,
): Promise<AsyncIterable<Uint8Array> | null> => {
  const { workspace, jobId } = query
  const index = await store.listLogParts({ workspace, jobId, fromSeq: 1, limit: 1 })
  if (index === null) return null
  // Fix the end now: a job that logs faster than the client reads would never reach an end.
  const end = isEnded(index.status) ? Number.POSITIVE_INFINITY : Math.max(liveEnd(query), await storedEnd(store, query))
  return pieces(reader, query, end)
}

async function* pieces(reader: ChunkReader, query: DownloadQuery, end: number): AsyncGenerator<Uint8Array> {
  const encode = query.q === undefined && query.format === 'text' ? wholeChunk : lineByLine(query)
  for (let next = 1; next < end; ) {
    const read = await reader.read({ ...query, fromSeq: next })
    if (read.type !== 'chunks') return
    for (const chunk of chunksIn(read.bytes)) {
      if (nextSeqOf(chunk) <= next) continue
      next = nextSeqOf(chunk)
      if (isWanted(chunk, query)) yield* encode(chunk)
    }
  }
}

const isWanted = (chunk: Chunk, { stream, attempt }: LogQuery): boolean =>
  (stream === undefined || chunk.stream === stream) && (attempt === undefined || chunk.attempt === attempt)

/** The bytes as the job wrote them, except for masks and invalid UTF-8. A line cut for its length is joined again. */
function* wholeChunk(chunk: Chunk): Generator<Uint8Array> {
  yield chunk.ending === 'continues' ? chunk.text : Buffer.concat([chunk.text, NEWLINE])
}

const lineByLine = ({ format, q }: DownloadQuery) => {
  const needle = q?.toLowerCase()
  const encode = format === 'text' ? (line: { line: string }) => line.line : lineEncoder()
  return function* (chunk: Chunk): Generator<Uint8Array> {
    if (needle !== undefined && !chunk.text.toString().toLowerCase().includes(needle)) return
    for (let next = chunk.firstSeq; next < nextSeqOf(chunk); next += LINES_A_PIECE) {
      const lines = linesOf(chunk, next, LINES_A_PIECE)
      const wanted = needle === undefined ? lines : lines.filter(line => line.line.toLowerCase().includes(needle))
      if (wanted.length > 0) yield Buffer.from(`${wanted.map(encode).join('\n')}\n`)
    }
  }
}
