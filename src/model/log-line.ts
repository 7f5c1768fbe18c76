export const LOG_STREAMS = ['stdout', 'stderr'] as const
export type LogStream = (typeof LOG_STREAMS)[number]

/** One line of a job's log. `seq` counts from 1 over both streams and all attempts; `timestamp` is epoch ms of its arrival. */
export type LogLine = {
  readonly seq: number
  readonly attempt: number
  readonly stream: LogStream
  readonly timestamp: number
  readonly line: string
  /** The line was longer than `MAX_LINE_BYTES`: this is a piece of it and the next line of the stream goes on. */
  readonly continues?: true
}

/** A longer line is split into pieces of at most this many bytes. */
export const MAX_LINE_BYTES = 64 * 1024

/** A log up to this size is stored in the transaction that ends its attempt; a larger one is sealed into blobs. */
export const INLINE_LOG_BYTES = 64 * 1024

/**
 * A stored stretch of a job's log: encoded chunks of lines (`src/logs/chunk.ts`), either `data` in the database or
 * `blobKey` of a compressed segment. Parts of one job do not overlap and together have no gap.
 */
export type LogPart = {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly attempt: number
  readonly firstAt: number
  readonly lastAt: number
  /** Size of the lines themselves in bytes, before compression. */
  readonly bytes: number
  readonly data: Uint8Array | null
  readonly blobKey: string | null
}
