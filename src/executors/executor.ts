import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { LogWriter } from '../logs/job-logs.ts'
import type { ClaimedJob, Progress, ResultFormat } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { NewResult, Outcome, StopCause } from '../model/outcome.ts'

/** Runs jobs of one kind. */
export interface Executor {
  readonly kind: Kind
  /** Jobs of one lane share its slots (`JOB_QUEUE_MAX_WORKERS` for `default`, 64 for `network`). */
  readonly lane: 'default' | 'network'
  /** Called before the first job: starts helpers and kills leftover processes of an earlier run of this server. */
  start?(): Promise<void>
  /** Called after the last job. */
  stop?(): Promise<void>
  /** Reports that the store renewed these leases; the renewal was sent at `sentAt` (monotonic ms). Feeds the watchdog that kills jobs whose worker hangs. */
  leasesRenewed?(leases: readonly { jobId: string; attempt: number }[], sentAt: number): void
  /** Problems that make jobs of this kind fail or weaken their isolation. Shown at start-up and in `/readyz`. */
  health?(): Promise<readonly ExecutorProblem[]>
  /** Whether, as far as is known, another server runs jobs of this kind. They are then not claimed here. */
  isElsewhere?(): Promise<boolean>
  /** Called before each job, to make sure that this server is the one to run it. False: it is not, and the job is put back. */
  enter?(): Promise<boolean>
  /**
   * Never rejects because of what a job does: a rejection is a bug of the executor and counts as a system failure. Resolves only when nothing the job
   * started is left.
   */
  run(job: ClaimedJob, context: ExecutionContext): Promise<Outcome>
}

export type ExecutorProblem = { readonly severity: 'warning' | 'unavailable'; readonly message: string }

export interface ExecutionContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly stop: StopSignal
  readonly log: LogWriter
  /** Decrypted secret values by their path in the spec (`environment.API_TOKEN`). */
  readonly secrets: Readonly<Record<string, string>>
  /** The variables every running job gets: `MILLRACE_URL`, `MILLRACE_JOB_ID`, `MILLRACE_TOKEN`, … */
  readonly environment: Readonly<Record<string, string>>
  /** When the claim was sent (monotonic ms), from which the lease counts; see `leasesRenewed`. */
  readonly leaseSentAt: number
  /** Masks the job's secrets and its token, as in its log. The engine itself masks progress and failure messages. */
  mask(text: string): string
  progress(progress: Progress): void
  /** Shows what the attempt waits for, in place of its progress message. null: it continues. */
  waits(message: string | null): void
  /**
   * Lends the slot to a new job during `wait`, so that attempts waiting for others block nobody. Resolves when the attempt has a slot again or is about to
   * stop. The attempt must not hold anything meanwhile that others wait for.
   */
  lendSlot<T>(wait: () => Promise<T>): Promise<T>
  /** Frees the slot for good, although the attempt has not ended: what remains is no work. */
  releaseSlot(): void
  /** Restarts the attempt's clock: it gets its whole timeout again from now. */
  extendTimeout(): void
  /** Adds items that join the job's run when this attempt completes. Throws `MillraceError`: `invalid`, `job_not_in_run`, `too_many_items`, `forbidden`. */
  extendPayload(items: readonly unknown[]): Promise<void>
  /**
   * Hashes a text or bytes and stores them inline or as a blob, depending on their size. The returned result goes into the outcome. Rejects with ENOSPC if
   * the disk is full.
   */
  keepResult(result: { format: ResultFormat; content: string | Uint8Array }): Promise<NewResult>
  /**
   * Like `keepResult`, for a stream that is never held in memory as a whole. Throws `too_large` (`MillraceError`) beyond `maxBytes`, the stop cause as soon
   * as there is one, and whatever the stream throws. After an error nothing is kept and the stream is closed, which ends its source.
   */
  keepResultStream(result: {
    format: ResultFormat
    content: AsyncIterable<Uint8Array>
    maxBytes: number
  }): Promise<NewResult>
  /** Stores a file as an artifact. `'name_taken'` does not fail the job. Rejects with ENOSPC if the disk is full. */
  addArtifact(file: { name: string; path: string }): Promise<'added' | 'name_taken'>
}

/** Tells an attempt to stop. The first cause wins; the grace period can only get shorter. */
export interface StopSignal {
  readonly cause: StopCause | null
  /** Monotonic ms at which whatever still runs is killed. Infinity before a cause. */
  readonly killAt: number
  /** Aborts on the first cause. */
  readonly signal: AbortSignal
  /** The listener is called on the first cause and whenever `killAt` becomes earlier. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void
}
