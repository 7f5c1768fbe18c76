import type { Lease } from '../model/job.ts'
import type { JobStatus } from '../model/job-status.ts'
import type { LogLine, LogPart, LogStream } from '../model/log-line.ts'

/**
 * The logs of jobs: written by the worker that runs the attempt, read by anyone of the workspace while it runs and after.
 * `recipes.md`, Logs: lines live in encoded chunks; a log beyond `INLINE_LOG_BYTES` is spooled to a local file and sealed
 * every few MiB as a compressed segment in the blob store.
 */
export interface JobLogs {
  /** Opens the log of an attempt. `mask` are secret values never to be stored. */
  open(input: { workspace: string; lease: Lease; firstSeq: number; mask: readonly string[] }): AttemptLog
  /** What a lost attempt of this machine left in its spool, sealed or inline, ready for `endAttempts`; [] when there is none here. */
  recover(lost: { workspace: string; lease: Lease; nextLogSeq: number }): Promise<readonly LogPart[]>
  /** Lines in order. null: no such job. `tail` gives the last lines instead of those after `after`. Bounded work per call: may return fewer than `limit` and still have a `nextAfter`; that is null only when the job has ended and this was all. */
  page(input: LogQuery & { after: number; limit: number; tail?: number }): Promise<LogPage | null>
  /**
   * Batches of lines from `fromSeq` to the end of the job, waiting for more while it lives. Ends after the last line of an
   * ended job (then `status` says how) or when `signal` aborts. A reader that stops pulling costs no memory. Throws
   * `not_found` at the first pull when there is no such job.
   */
  follow(input: { workspace: string; jobId: string; fromSeq: number; signal: AbortSignal }): AsyncIterable<LogBatch>
  /** The whole log as far as it goes now, streamed in constant memory. null: no such job. */
  download(input: LogQuery & { format: 'text' | 'ndjson' }): Promise<AsyncIterable<Uint8Array> | null>
  /** Removes spool files that belong to no running attempt of this process and are older than an hour. */
  sweepSpool(): Promise<void>
}

/** Where the output of an attempt goes. */
export interface LogWriter {
  /** Takes bytes as they come; invalid UTF-8 is replaced, secrets are masked, lines are cut. A promise means back-pressure: wait before giving more. The bytes are the caller's again when the call returns or the promise resolves. Rejects with ENOSPC when the disk is full. */
  write(stream: LogStream, bytes: Uint8Array): void | Promise<void>
  /** A line of the server itself about this job, on stderr, prefixed `millrace: `. */
  note(text: string): void | Promise<void>
}

export interface AttemptLog extends LogWriter {
  /** Why lines are missing at the end: the error of the disk, ENOSPC above all. Complete when `finish` has resolved; it may be news then, when no write followed the one that failed. */
  readonly fault: Error | null
  /** Flushes and seals. The parts go into the transaction that ends the attempt; afterwards call `dispose`. Gives what could be written even after a fault. */
  finish(): Promise<readonly LogPart[]>
  /** Removes the spool file, once the parts are stored. */
  dispose(): Promise<void>
}

export type LogQuery = {
  readonly workspace: string
  readonly jobId: string
  readonly stream?: LogStream
  readonly attempt?: number
  /** Only lines that contain this text (case-insensitive). */
  readonly q?: string
}

export type LogPage = {
  readonly lines: readonly LogLine[]
  readonly nextAfter: number | null
  readonly purged: boolean
}

/** A batch of consecutive lines. `frames` caches the encodings that live followers share (`src/http/streams/`). */
export type LogBatch =
  | { readonly type: 'lines'; readonly lines: readonly LogLine[]; readonly frames: Map<string, Uint8Array> }
  | { readonly type: 'end'; readonly status: JobStatus }
