export const LOG_STREAMS = ['stdout', 'stderr'] as const
export type LogStream = (typeof LOG_STREAMS)[number]

/** One line of a job's log. `seq` counts from 1 across both streams and all attempts; `timestamp` is the time of arrival in epoch ms. */
export type LogLine = {
  readonly seq: number
  readonly attempt: number
  readonly stream: LogStream
  readonly timestamp: number
  readonly line: string
  /** The line was longer than `MAX_LINE_BYTES`: this is a part of it, and the stream's next line continues it. */
  readonly continues?: true
}

/** A longer line is split into pieces of at most this many bytes. */
export const MAX_LINE_BYTES = 64 * 1024

/** A log up to this size is stored in the transaction that ends its attempt; a larger one goes into blobs. */
export const INLINE_LOG_BYTES = 64 * 1024

/**
 * A stored part of a job's log: encoded chunks of lines (`src/logs/chunk.ts`), either as `data` in the database or as `blobKey` of a compressed segment. The
 * parts of a job neither overlap nor have gaps.
 */
export type LogPart = {
  readonly firstSeq: number
  readonly lastSeq: number
  readonly attempt: number
  readonly firstAt: number
  readonly lastAt: number
  /** Size of the lines in bytes, before compression. */
  readonly bytes: number
  readonly data: Uint8Array | null
  readonly blobKey: string | null
}
