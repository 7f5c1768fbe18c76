import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { LogWriter } from '../logs/job-logs.ts'
import type { ClaimedJob, Progress, ResultFormat } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { NewResult, Outcome, StopCause } from '../model/outcome.ts'

/** Carries out jobs of one kind. */
export interface Executor {
  readonly kind: Kind
  /** Jobs of one lane share its slots (`JOB_QUEUE_MAX_WORKERS` for `default`, 64 for `network`). */
  readonly lane: 'default' | 'network'
  /** Before the first job: starts helpers, ends strays of a former life of this server. */
  start?(): Promise<void>
  /** After the last job. */
  stop?(): Promise<void>
  /** The store has renewed these leases; the renewal was sent at `sentAt` (monotonic ms). Feeds the watchdog that ends jobs whose worker hangs. */
  leasesRenewed?(leases: readonly { jobId: string; attempt: number }[], sentAt: number): void
  /** Problems that make jobs of this kind fail or weaken their isolation, for start-up and `/readyz`. */
  health?(): Promise<readonly ExecutorProblem[]>
  /** Whether another server carries out jobs of this kind, as far as is known: then they are not claimed here. */
  isElsewhere?(): Promise<boolean>
  /** Before each job is run: makes sure that it is for this server. False: it is not, and the job is put back. */
  enter?(): Promise<boolean>
  /** Never rejects for what a job does; a rejection is a fault of the executor and counts as a system failure. Resolves only when nothing the job started is left. */
  run(job: ClaimedJob, context: ExecutionContext): Promise<Outcome>
}

export type ExecutorProblem = { readonly severity: 'warning' | 'unavailable'; readonly message: string }

export interface ExecutionContext {
  readonly clock: Clock
  readonly logger: Logger
  readonly stop: StopSignal
  readonly log: LogWriter
  /** Secret values by their path in the spec (`environment.API_TOKEN`), opened. */
  readonly secrets: Readonly<Record<string, string>>
  /** What every running job gets: `MILLRACE_URL`, `MILLRACE_JOB_ID`, `MILLRACE_TOKEN`, … */
  readonly environment: Readonly<Record<string, string>>
  /** Monotonic ms until which the lease is sure; see `leasesRenewed`. */
  readonly leaseSentAt: number
  /** With the job's secrets and its token masked as in its log. The engine does so with messages of progress and failures. */
  mask(text: string): string
  progress(progress: Progress): void
  /** Shown in place of the message of its progress: what it waits for; null: it goes on. */
  waits(message: string | null): void
  /**
   * Waits for what another attempt has, while a new job may have the slot of this one: so many that wait keep nobody from working. Resolves
   * when there is a slot again, or when the attempt is to stop. Nothing that others wait for may be held meanwhile.
   */
  lendSlot<T>(wait: () => Promise<T>): Promise<T>
  /** A new job may have the slot for good, though this one has not ended: what is left of it is no work. */
  releaseSlot(): void
  /** Restarts the attempt's clock: it has its whole timeout again from now. */
  extendTimeout(): void
  /** Items that join the job's run when this attempt completes. Throws `MillraceError`: `invalid`, `job_not_in_run`, `too_many_items`, `forbidden`. */
  extendPayload(items: readonly unknown[]): Promise<void>
  /** Makes a result of a text or bytes, hashed and stored where its size says; to be put into the outcome. Rejects with ENOSPC when the disk is full. */
  keepResult(result: { format: ResultFormat; content: string | Uint8Array }): Promise<NewResult>
  /**
   * The same of a stream, never whole in memory. Throws `too_large` (`MillraceError`) beyond `maxBytes`, the cause of a stop at once, and
   * what the stream throws; then nothing of it stays and the stream has been left, which ends what it comes from.
   */
  keepResultStream(result: {
    format: ResultFormat
    content: AsyncIterable<Uint8Array>
    maxBytes: number
  }): Promise<NewResult>
  /** Stores a file as an artifact. `'name_taken'` is no failure of the job. Rejects with ENOSPC when the disk is full. */
  addArtifact(file: { name: string; path: string }): Promise<'added' | 'name_taken'>
}

/** Tells an attempt to stop. The first cause wins; the grace may only become shorter. */
export interface StopSignal {
  readonly cause: StopCause | null
  /** Monotonic ms at which what still runs is killed; Infinity before a cause. */
  readonly killAt: number
  /** Aborts at the first cause. */
  readonly signal: AbortSignal
  /** Called at the first cause and whenever `killAt` becomes earlier. Returns how to stop listening. */
  onChange(listener: () => void): () => void
}
