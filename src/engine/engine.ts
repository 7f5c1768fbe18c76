import type { ExecutorProblem } from '../executors/executor.ts'
import type { Artifact, JobEvent, Progress } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Scope } from '../model/scopes.ts'
import type { AnswerToKeep, IdempotencyKey, Store, SubmittedJob } from '../store/store.ts'
import type { CopySchedules } from './copy-schedules.ts'
import type { Workflows } from './workflows.ts'

/** The part of the engine that the layers above use. Everything else is internal. */
export interface Engine {
  readonly workerId: string
  /** Kinds this installation can run. */
  readonly kinds: readonly Kind[]
  /**
   * Checks and stores jobs, all or nothing. Throws `MillraceError`: `invalid` with a path per wrong field, `forbidden`, `executor_unavailable`,
   * `too_many_queued`.
   */
  submit(input: Submission): Promise<readonly SubmittedJob[]>
  /**
   * Throws what `submit` would throw for these bodies, except `too_many_queued`, and stores nothing. Lets a call with a long upload fail before the data
   * arrives.
   */
  check(input: Omit<Submission, 'idempotency'>): void
  /** Submits a new job with the same parameters, including secrets. Throws `not_found`, `forbidden`. */
  rerun(input: { submitter: Submitter; jobId: string; idempotency?: IdempotencyKey }): Promise<SubmittedJob>
  /** Deletes an ended job and everything it left. The space of its blobs is freed soon after. */
  purge(input: Parameters<Store['purgeJob']>[0]): ReturnType<Store['purgeJob']>
  /** Stores progress that a running job reports itself. Secrets are masked as in its log. `attempt`: the attempt whose token was used. */
  tellProgress(input: {
    workspace: string
    jobId: string
    attempt: number | null
    progress: Progress
  }): Promise<'set' | 'not_running' | 'not_found'>
  readonly workflows: Workflows
  readonly copySchedules: CopySchedules
  readonly events: JobEvents
  readonly artifacts: ArtifactKeeper
  readonly jobTokens: JobTokens
  /** Problems per part. A part without problems is listed with an empty list. */
  health(): Promise<readonly PartHealth[]>
  /** Starts claiming (role `worker`) and the loops of role `scheduler`. */
  start(): Promise<void>
  /** Stops claiming, waits `shutdownGraceMs`, stops the remaining jobs and requeues them. Idempotent. */
  stop(): Promise<void>
}

/** The submitter: a token, or a running job through its own token. */
export type Submitter = {
  readonly workspace: string
  readonly scopes: readonly Scope[]
  readonly parentJobId: string | null
}

export type Submission = {
  readonly submitter: Submitter
  /** Job bodies as received, unchecked. */
  readonly bodies: readonly unknown[]
  /** Path of the bodies in the request, used in errors: `''` for one body, `'jobs'` for a batch (`jobs.3.name`). */
  readonly path: '' | 'jobs'
  readonly idempotency?: AnswerToKeep
}

export interface JobEvents {
  /** Subscribes to events of one workspace as they happen. The listener must not throw or block. Returns the unsubscribe function. */
  subscribe(workspace: string, listener: (event: JobEvent) => void): () => void
  /** Resolves when the job has ended, after `timeoutMs`, or on abort. Also polls the store, because hints may be lost. */
  waitForEnd(input: { workspace: string; jobId: string; timeoutMs: number; signal?: AbortSignal }): Promise<void>
}

export interface ArtifactKeeper {
  /**
   * Streams content into an artifact. Throws `MillraceError`: `invalid` (name), `too_large`, `artifact_exists`, `not_found`, `job_not_running`,
   * `insufficient_storage`, `storage_unavailable`. Nothing is visible after an error.
   */
  add(input: NewArtifact): Promise<Artifact>
}

export type NewArtifact = {
  readonly workspace: string
  readonly jobId: string
  readonly name: string
  readonly contentType: string
  readonly content: AsyncIterable<Uint8Array>
  /** Set if a worker or a job's own token adds the artifact: refused unless that attempt is running. */
  readonly attempt?: number
}

export interface JobTokens {
  /** The token of a running attempt: signed, not stored. */
  issue(jobId: string, attempt: number): string
  /** The attempt a token stands for, or null if the token is not one of ours or the attempt no longer runs. */
  verify(token: string): Promise<{ workspace: string; jobId: string; attempt: number; scopes: readonly Scope[] } | null>
  /** True if the text has the form of a job token. */
  looksLike(token: string): boolean
}

export type PartHealth = { readonly part: string; readonly problems: readonly ExecutorProblem[] }
