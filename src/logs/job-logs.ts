import type { Lease } from '../model/job.ts'
import type { JobStatus } from '../model/job-status.ts'
import type { LogLine, LogPart, LogStream } from '../model/log-line.ts'

/**
 * The logs of jobs. Written by the worker that runs the attempt; readable by anyone in the workspace during the attempt and after. `recipes.md`, Logs:
 * lines are stored in encoded chunks; a log beyond `INLINE_LOG_BYTES` is spooled to a local file and sealed every few MiB as a compressed segment in the
 * blob store.
 */
export interface JobLogs {
  /** Opens the log of an attempt. `mask` holds secret values that must never be stored. */
  open(input: { workspace: string; lease: Lease; firstSeq: number; mask: readonly string[] }): AttemptLog
  /** What a lost attempt of this machine left in its spool, sealed or inline, ready for `endAttempts`. [] if there is nothing here. */
  recover(lost: { workspace: string; lease: Lease; nextLogSeq: number }): Promise<readonly LogPart[]>
  /**
   * Lines in order. null: no such job. `tail` returns the last lines instead of those after `after`. Work per call is bounded: it may return fewer than
   * `limit` lines and still have a `nextAfter`, which is null only if the job has ended and there are no more lines.
   */
  page(input: LogQuery & { after: number; limit: number; tail?: number }): Promise<LogPage | null>
  /**
   * Batches of lines from `fromSeq` to the end of the job, waiting for more while it runs. Ends after the last line of an ended job (with its `status`), or
   * when `signal` aborts. A reader that stops pulling costs no memory. Throws `not_found` on the first pull if there is no such job.
   */
  follow(input: { workspace: string; jobId: string; fromSeq: number; signal: AbortSignal }): AsyncIterable<LogBatch>
  /** Streams the whole log as it is now, in constant memory. null: no such job. */
  download(input: LogQuery & { format: 'text' | 'ndjson' }): Promise<AsyncIterable<Uint8Array> | null>
  /** Removes spool files older than an hour, except those of this process's running attempts. */
  sweepSpool(): Promise<void>
}

/** Receives the output of an attempt. */
export interface LogWriter {
  /**
   * Accepts bytes as they arrive: replaces invalid UTF-8, masks secrets, cuts lines. A returned promise signals back-pressure: wait before writing more. The
   * caller may reuse the bytes once the call returns or the promise resolves. Rejects with ENOSPC if the disk is full.
   */
  write(stream: LogStream, bytes: Uint8Array): void | Promise<void>
  /** Logs a message of the server about this job, on stderr, prefixed `millrace: `. */
  note(text: string): void | Promise<void>
}

export interface AttemptLog extends LogWriter {
  /**
   * Why lines are missing at the end: the disk's error, typically ENOSPC. Final once `finish` has resolved. It may be set only then, if no write followed
   * the failed one.
   */
  readonly fault: Error | null
  /**
   * Flushes and seals. The returned parts go into the transaction that ends the attempt; call `dispose` afterwards. Even after a fault, returns what could
   * be written.
   */
  finish(): Promise<readonly LogPart[]>
  /** Removes the spool files. Call once the parts are stored. */
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

/** A batch of consecutive lines. `frames` caches encodings shared by live followers (`src/http/streams/`). */
export type LogBatch =
  | { readonly type: 'lines'; readonly lines: readonly LogLine[]; readonly frames: Map<string, Uint8Array> }
  | { readonly type: 'end'; readonly status: JobStatus }
