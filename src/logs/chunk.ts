import { LOG_STREAMS, type LogStream } from '../model/log-line.ts'

/**
 * The storage format of lines in spool files, the database and segments: chunks of consecutive lines of one stream, each a header and the raw text.
 * Chunks are written as output arrives, without processing single lines.
 *
 * Header, little-endian: 0 magic (u8), 1 stream (u8), 2 ending (u8), 3 zero, 4 attempt (u32), 8 bytes of text (u32), 12 lines (u32), 16 first seq (f64),
 * 24 epoch ms (f64). The lines in the text are separated by `\n`, without one after the last line.
 */
export const CHUNK_HEADER_BYTES = 32

const MAGIC = 0x4c

/**
 * How the last line of a chunk ends. `newline`: with a newline. `open`: without one, at the end of the stream. `continues`: cut because it is too long.
 * `partial`: not a line, but the latest bytes of an unfinished one, kept so that a crash does not lose them (`count` is 0; readers skip it, but
 * `recover.ts` does not).
 */
export const CHUNK_ENDINGS = ['newline', 'open', 'continues', 'partial'] as const
export type ChunkEnding = (typeof CHUNK_ENDINGS)[number]

export type ChunkHeader = {
  readonly stream: LogStream
  readonly ending: ChunkEnding
  readonly attempt: number
  readonly firstSeq: number
  /** Number of lines in the text. */
  readonly count: number
  /** When they arrived, in epoch ms. */
  readonly timestamp: number
}

/** `offset` and `end` locate the chunk in the bytes it was read from. `text` is a view of them. */
export type Chunk = ChunkHeader & { readonly text: Buffer; readonly offset: number; readonly end: number }

/** Writes header and text at `offset`. Returns the offset after them. */
export const writeChunk = (target: Buffer, offset: number, header: ChunkHeader, text: Uint8Array): number => {
  target[offset] = MAGIC
  target[offset + 1] = LOG_STREAMS.indexOf(header.stream)
  target[offset + 2] = CHUNK_ENDINGS.indexOf(header.ending)
  target[offset + 3] = 0
  target.writeUInt32LE(header.attempt, offset + 4)
  target.writeUInt32LE(text.length, offset + 8)
  target.writeUInt32LE(header.count, offset + 12)
  target.writeDoubleLE(header.firstSeq, offset + 16)
  target.writeDoubleLE(header.timestamp, offset + 24)
  target.set(text, offset + CHUNK_HEADER_BYTES)
  return offset + CHUNK_HEADER_BYTES + text.length
}

/** The chunk at `offset`, or null if there is no complete one (at the end, or after a write torn by a crash). */
export const readChunk = (bytes: Buffer, offset: number): Chunk | null => {
  const start = offset + CHUNK_HEADER_BYTES
  if (start > bytes.length || bytes[offset] !== MAGIC) return null
  const stream = LOG_STREAMS[bytes[offset + 1]!]
  const ending = CHUNK_ENDINGS[bytes[offset + 2]!]
  const end = start + bytes.readUInt32LE(offset + 8)
  if (stream === undefined || ending === undefined || end > bytes.length) return null
  return {
    stream,
    ending,
    attempt: bytes.readUInt32LE(offset + 4),
    count: bytes.readUInt32LE(offset + 12),
    firstSeq: bytes.readDoubleLE(offset + 16),
    timestamp: bytes.readDoubleLE(offset + 24),
    text: bytes.subarray(start, end),
    offset,
    end,
  }
}

/** The complete chunks in `bytes`, in order, up to the first torn one. */
export function* chunksIn(bytes: Buffer, from = 0): Generator<Chunk> {
  for (let chunk = readChunk(bytes, from); chunk !== null; chunk = readChunk(bytes, chunk.end)) yield chunk
}

/** The seq after the chunk's last line. */
export const nextSeqOf = (chunk: ChunkHeader): number => chunk.firstSeq + chunk.count
