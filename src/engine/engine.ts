import type { ExecutorProblem } from '../executors/executor.ts'
import type { Artifact, JobEvent, Progress } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Scope } from '../model/scopes.ts'
import type { AnswerToKeep, IdempotencyKey, Store, SubmittedJob } from '../store/store.ts'
import type { CopySchedules } from './copy-schedules.ts'
import type { Workflows } from './workflows.ts'

/** What the layers above use of the engine. Everything else of it is internal. */
export interface Engine {
  readonly workerId: string
  /** Kinds this installation can run. */
  readonly kinds: readonly Kind[]
  /** Checks and stores jobs, all or nothing. Throws `MillraceError`: `invalid` with a path per wrong field, `forbidden`, `executor_unavailable`, `too_many_queued`. */
  submit(input: Submission): Promise<readonly SubmittedJob[]>
  /** Throws what `submit` would refuse of these bodies, and keeps nothing: for calls that take long to give all of theirs. Not `too_many_queued`. */
  check(input: Omit<Submission, 'idempotency'>): void
  /** A new job with the same parameters, secrets included. Throws `not_found`, `forbidden`. */
  rerun(input: { submitter: Submitter; jobId: string; idempotency?: IdempotencyKey }): Promise<SubmittedJob>
  /** Forgets an ended job and all it left; the room of its blobs is free soon after. */
  purge(input: Parameters<Store['purgeJob']>[0]): ReturnType<Store['purgeJob']>
  /** Progress of a running job as it tells it itself; secrets are masked as in its log. `attempt`: whose token tells it. */
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
  /** What is wrong, part by part; a part without problems is there with none. */
  health(): Promise<readonly PartHealth[]>
  /** Starts claiming (role `worker`) and the loops of role `scheduler`. */
  start(): Promise<void>
  /** Stops claiming, waits `shutdownGraceMs`, ends the rest and puts it back. Idempotent. */
  stop(): Promise<void>
}

/** Who submits: a token, or a running job through its own token. */
export type Submitter = {
  readonly workspace: string
  readonly scopes: readonly Scope[]
  readonly parentJobId: string | null
}

export type Submission = {
  readonly submitter: Submitter
  /** Job bodies as they came, not yet checked. */
  readonly bodies: readonly unknown[]
  /** Where the bodies stand in the request, for the paths of errors: `''` for one body, `'jobs'` for a batch (`jobs.3.name`). */
  readonly path: '' | 'jobs'
  readonly idempotency?: AnswerToKeep
}

export interface JobEvents {
  /** Events of one workspace as they happen. The listener must not throw or block. Returns how to stop. */
  subscribe(workspace: string, listener: (event: JobEvent) => void): () => void
  /** Resolves when the job has ended, when `timeoutMs` has passed, or at the abort; looks at the store behind lost hints. */
  waitForEnd(input: { workspace: string; jobId: string; timeoutMs: number; signal?: AbortSignal }): Promise<void>
}

export interface ArtifactKeeper {
  /** Streams content into an artifact. Throws `MillraceError`: `invalid` (name), `too_large`, `artifact_exists`, `not_found`, `job_not_running`, `insufficient_storage`, `storage_unavailable`; then nothing is visible. */
  add(input: NewArtifact): Promise<Artifact>
}

export type NewArtifact = {
  readonly workspace: string
  readonly jobId: string
  readonly name: string
  readonly contentType: string
  readonly content: AsyncIterable<Uint8Array>
  /** Given by a worker or a job's own token: only while that attempt runs. */
  readonly attempt?: number
}

export interface JobTokens {
  /** The token of a running attempt: signed, not stored. */
  issue(jobId: string, attempt: number): string
  /** What a token stands for, or null when it is not one of ours or the attempt no longer runs. */
  verify(token: string): Promise<{ workspace: string; jobId: string; attempt: number; scopes: readonly Scope[] } | null>
  /** True for a text that has the form of a job token. */
  looksLike(token: string): boolean
}

export type PartHealth = { readonly part: string; readonly problems: readonly ExecutorProblem[] }
