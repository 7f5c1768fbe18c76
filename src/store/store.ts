import type { Artifact, Attempt, ClaimedJob, Job, JobEvent, JobResult, Lease, NewJob, Progress } from '../model/job.ts'
import type { CancelReason, JobStatus } from '../model/job-status.ts'
import type { Kind } from '../model/kind.ts'
import type { LogPart } from '../model/log-line.ts'
import type { AttemptEnd } from '../model/outcome.ts'
import type { AnswerShape } from '../model/submit-answer.ts'
import type { Notification, RunEvent } from '../model/workflow.ts'
import type { AnalyticsStore } from './analytics-store.ts'
import type { DataStore } from './data-store.ts'
import type { SinkStore } from './sink-store.ts'
import type { WorkflowStore } from './workflow-store.ts'

/**
 * Everything Millrace remembers, in words of the domain. Two implementations, `sqlite/` and `postgres/`, pass one
 * conformance suite (`test/conformance/`).
 *
 * - Every method is one transaction; when its promise resolves, what it wrote survives `kill -9` and power loss.
 * - A lost race is a value (`applied: false`, `'ended'`, …), never an exception. What is thrown is a fault of the database.
 * - `workspace` is part of every query about a user's things: what another workspace owns does not exist.
 * - `now` comes from the store's clock (SQLite: the process's; PostgreSQL: the database's), never from the caller.
 */
export interface Store extends WorkflowStore, SinkStore, AnalyticsStore, DataStore {
  // Submit and claim (the hot path: always in batches)
  /** All or nothing. A job is `pending` when scheduled for later or its exclusive key is held, else `queued`. */
  submitJobs(input: SubmitJobs): Promise<SubmitOutcome>
  /** Takes up to `limit` queued jobs of the kinds, highest priority first, then in order of submission, and starts an attempt of each. */
  claimJobs(input: ClaimJobs): Promise<readonly ClaimedJob[]>
  /**
   * Ends attempts, each fenced by its lease. A job that is `cancelling` becomes `cancelled` whatever the end says; one that
   * has published (`commitPublication`) completes or is queued again, whatever else the end says. Frees exclusive keys and
   * moves the next holder to `queued`.
   */
  endAttempts(ends: readonly EndAttempt[]): Promise<readonly EndResult[]>

  // Leases
  /** Extends leases that are not over. Says which are lost and which jobs are to stop. */
  renewLeases(input: { leases: readonly Lease[]; leaseMs: number }): Promise<RenewOutcome>
  /** Jobs of this worker that are `cancelling`, without renewing anything: the answer to a `cancel` signal. */
  listCancelling(input: { workerId: string }): Promise<readonly CancelOrder[]>
  /**
   * Running and cancelling jobs whose lease is over (or, with `workerIds`, those held by these workers whatever their
   * lease: a restarted single server rescues its former self at once). First clamps what a clock set back would
   * stretch: no lease ends later than now + `leaseMs`, no retry later than now + its wait.
   */
  listLostAttempts(input: {
    leaseMs: number
    limit: number
    workerIds?: readonly string[]
  }): Promise<readonly LostAttempt[]>

  // Time
  /** Moves due pending jobs to `queued` (respecting exclusive keys). `nextDueAt` is when to call again, null: nothing waits. */
  promoteDueJobs(input: { limit: number }): Promise<{ promoted: number; nextDueAt: number | null }>
  /** Milliseconds since the epoch by the store's clock. */
  now(): Promise<number>

  // Users' calls on jobs
  /** `cancelling` without any change for one that is queued to finish its publication: nothing stops that. */
  cancelJob(input: {
    workspace: string
    jobId: string
    reason: CancelReason
    graceMs: number | null
  }): Promise<CancelOutcome>
  /** Cancels up to `limit` matching jobs that have not ended and are not already cancelling; call until `cancelled + cancelling` is 0. */
  cancelMatching(input: {
    workspace: string
    filters: JobFilters
    reason: CancelReason
    limit: number
  }): Promise<{ cancelled: number; cancelling: number }>
  getJob(input: { workspace: string; jobId: string }): Promise<Job | null>
  /** What `rerun` submits again: the body with its sealed secrets. */
  getSubmission(input: { workspace: string; jobId: string }): Promise<NewJob | null>
  /** Newest first. A page may hold fewer than `limit` and still have a `nextCursor` (the scan per page is bounded). Throws `invalid_cursor`. */
  listJobs(input: {
    workspace: string
    filters: JobFilters
    limit: number
    cursor: string | null
  }): Promise<{ jobs: readonly Job[]; nextCursor: string | null }>
  countJobs(input: { workspace: string; filters: JobFilters }): Promise<number>
  listAttempts(input: { workspace: string; jobId: string }): Promise<readonly Attempt[] | null>
  /** Progress of a running attempt, newest wins. `lease` is given by workers, absent for a job's own token. */
  setProgress(input: {
    workspace: string
    jobId: string
    progress: Progress
    lease?: Lease
  }): Promise<'set' | 'not_running' | 'not_found'>
  /** Where a completed job's result lies. Each read of a job has its `result`, without the content. */
  getResult(input: {
    workspace: string
    jobId: string
  }): Promise<StoredResult | 'not_found' | 'not_finished' | 'none' | 'expired'>
  /** Forgets the content of results whose time is over (by `now`); jobs keep format, size and hash, and say when it expired. */
  purgeResults(input: { limit: number }): Promise<number>
  /** Forgets an ended job and all it left. Its blobs become doomed. `delivery_pending`: its end has not been told to all yet. */
  purgeJob(input: {
    workspace: string
    jobId: string
  }): Promise<'purged' | 'not_ended' | 'delivery_pending' | 'not_found'>

  // Logs
  /** Adds stored parts of a running attempt's log; `replacesFrom` drops inline parts from that seq on in the same transaction (sealing a tail). */
  addLogParts(input: { lease: Lease; parts: readonly LogPart[]; replacesFrom?: number }): Promise<{ applied: boolean }>
  /** Parts that hold lines from `fromSeq` on, in order, at most `limit`, with the data of inline ones. null: no such job. */
  listLogParts(input: { workspace: string; jobId: string; fromSeq: number; limit: number }): Promise<LogIndex | null>

  // Artifacts and blobs
  /** Makes an uploaded blob an artifact. When its hash is already stored, the existing blob is used: the key of the outcome is another than was given. */
  addArtifact(input: AddArtifact): Promise<AddArtifactOutcome>
  /** Content of a hash lies at another key from now on, for all artifacts that have it. Not applied: it is not at `from` any more. */
  replaceBlob(input: { sha256: string; from: string; to: string }): Promise<{ applied: boolean }>
  listArtifacts(input: { workspace: string; jobId: string }): Promise<readonly Artifact[] | null>
  getArtifact(input: {
    workspace: string
    jobId: string
    artifactId: string
  }): Promise<{ artifact: Artifact; blobKey: string } | null>
  /** Keys of blobs that nothing refers to any more, oldest first, after those that a call with that cursor told; it is null at the end. */
  listDoomedBlobs(input: { limit: number; cursor?: number | null }): Promise<DoomedBlobs>
  /** After their content has been deleted. */
  forgetDoomedBlobs(input: { keys: readonly string[] }): Promise<void>
  /** Of these keys, those that something refers to (artifacts, results, log parts): what is not here and old is an orphan of a crash. */
  filterKnownBlobs(input: { keys: readonly string[] }): Promise<readonly string[]>

  // Idempotency (`api.md`, Conventions)
  beginIdempotent(input: { key: IdempotencyKey; bodyHash: string }): Promise<IdempotencyOutcome>
  /** The first call of the key goes on: it is taken for another minute. Nothing when the call has been answered. */
  renewIdempotent(input: { key: IdempotencyKey }): Promise<void>
  /** Keeps the answer for 24 h; `answer: null` forgets the key (after a 5xx). */
  finishIdempotent(input: { key: IdempotencyKey; answer: KeptAnswer | null }): Promise<void>

  // Retention (each deletes at most `limit` and says how many, so that batches stay short)
  /**
   * Looks at `limit` jobs, those that ended first, after those that calls with an earlier cursor have looked at. One of
   * which a delivery is pending stays: there may be many, and no batch looks at them again. `cursor` is null at the end.
   */
  purgeEndedJobs(input: {
    endedBefore: number
    limit: number
    cursor?: string | null
  }): Promise<{ purged: number; cursor: string | null }>
  /** Forgets logs of jobs that ended before; the jobs stay. */
  purgeLogs(input: { endedBefore: number; limit: number }): Promise<number>
  purgeIdempotency(input: { limit: number }): Promise<number>
  purgeWorkers(input: { seenBefore: number; limit: number }): Promise<number>

  // Workspaces, tokens, workers
  createWorkspace(input: { id: string; name: string }): Promise<Workspace | 'exists'>
  listWorkspaces(): Promise<readonly Workspace[]>
  createToken(input: NewToken): Promise<Token>
  /** Looks a token up by the SHA-256 of its text; expired ones are not found. */
  findToken(input: { hash: string }): Promise<Token | null>
  listTokens(input: { workspace: string }): Promise<readonly Token[]>
  deleteToken(input: { workspace: string; tokenId: string }): Promise<boolean>
  /** What a job's own token stands for, while that attempt runs. */
  findRunningAttempt(input: {
    jobId: string
    attempt: number
  }): Promise<{ workspace: string; scopes: readonly string[] } | null>
  beatWorker(input: WorkerBeat): Promise<void>
  listWorkers(): Promise<readonly Worker[]>
  /** Live jobs by status and kind, when the oldest queued one was queued, and what else waits. For metrics; instance-wide. */
  queueStatistics(): Promise<QueueStatistics>

  /** Small facts of the installation that must survive (for example the id of the instance). */
  getSetting(input: { name: string }): Promise<string | null>
  setSetting(input: { name: string; value: string }): Promise<void>
  /** Compare-and-set of one of them: from `from` (null: there is none) to `to`. Says whether it was so. */
  replaceSetting(input: { name: string; from: string | null; to: string }): Promise<boolean>

  /** Hints that arrive after a commit, in this process and (PostgreSQL) from others, coalesced. They may be lost: poll behind them. */
  onSignal(listener: (signal: StoreSignal) => void): () => void
  /** Throws when the store cannot be written. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** `cursor` is for what comes after them. */
export type DoomedBlobs = { readonly keys: readonly string[]; readonly cursor: number | null }

export type StoreSignal =
  /** There may be something to claim. */
  | { readonly type: 'queued' }
  /** There may be a job to stop: call `listCancelling`. */
  | { readonly type: 'cancel' }
  /** Something may be due earlier than `promoteDueJobs` last said. */
  | { readonly type: 'pending' }
  /** A workflow may fire earlier than `listDueWorkflows` last said. */
  | { readonly type: 'schedule' }
  /** There may be a delivery to claim. */
  | { readonly type: 'delivery' }
  /** Status changes. In order per job. */
  | { readonly type: 'events'; readonly events: readonly JobEvent[] }
  /** Status changes of runs. In order per run. */
  | { readonly type: 'run_events'; readonly events: readonly RunEvent[] }
  | { readonly type: 'notification'; readonly notification: Notification }
  /** Events of other processes may have been missed; look again at what matters. */
  | { readonly type: 'missed_events' }
  /** New log parts of this job (PostgreSQL, other processes). */
  | { readonly type: 'log'; readonly jobId: string }

export type IdempotencyKey = {
  readonly workspace: string
  readonly method: string
  readonly path: string
  readonly key: string
}
/** `body` is JSON text as it was sent. */
export type KeptAnswer = { readonly status: number; readonly body: string }
export type IdempotencyOutcome =
  | { readonly type: 'new' }
  | { readonly type: 'answered'; readonly answer: KeptAnswer }
  | { readonly type: 'mismatch' }
  | { readonly type: 'in_progress' }

export type SubmitJobs = {
  readonly jobs: readonly NewJob[]
  /** Live jobs the workspace may have in `pending` and `queued` together, the new ones included. */
  readonly maxQueued: number
  /** Kept in the same transaction. */
  readonly idempotency?: AnswerToKeep
}
/** Under which key the answer to a submit is kept. */
export type AnswerToKeep = AnswerShape & { readonly key: IdempotencyKey }
export type SubmittedJob = { readonly id: string; readonly status: 'pending' | 'queued'; readonly createdAt: number }
export type SubmitOutcome =
  | { readonly type: 'submitted'; readonly jobs: readonly SubmittedJob[] }
  | { readonly type: 'too_many_queued'; readonly queued: number }

export type ClaimJobs = {
  readonly workerId: string
  readonly kinds: readonly Kind[]
  readonly limit: number
  readonly leaseMs: number
}

export type EndAttempt = {
  readonly lease: Lease
  readonly end: AttemptEnd
  /** What remains of the attempt's log, stored in the same transaction. */
  readonly log: readonly LogPart[]
}
/** `applied: false`: the lease was lost, nothing was written. */
export type EndResult = { readonly jobId: string; readonly applied: boolean; readonly status: JobStatus | null }

export type CancelOrder = {
  readonly jobId: string
  readonly attempt: number
  readonly reason: CancelReason
  readonly graceMs: number | null
}
export type RenewOutcome = { readonly lost: readonly string[]; readonly cancelling: readonly CancelOrder[] }
export type LostAttempt = Pick<
  ClaimedJob,
  'workspace' | 'kind' | 'retry' | 'restartable' | 'userFailures' | 'systemFailures' | 'nextLogSeq'
> & {
  readonly lease: Lease
  readonly workerId: string
}

export type CancelOutcome =
  /** `isNew`: by this call. */
  | { readonly type: 'cancelled' | 'cancelling'; readonly isNew: boolean; readonly job: Job }
  | { readonly type: 'ended'; readonly job: Job }
  | { readonly type: 'not_found' }

/** All given filters must hold; values inside one are alternatives. */
export type JobFilters = {
  readonly status?: readonly JobStatus[]
  readonly kind?: readonly Kind[]
  readonly trigger?: 'manual' | 'automatic'
  readonly workflowId?: string
  readonly runId?: string
  readonly parentJobId?: string
  /** Prefix. */
  readonly name?: string
  /** Each must be there. */
  readonly labels?: readonly { readonly key: string; readonly value: string }[]
  readonly queue?: string
  /** The one it writes, by name. */
  readonly dataSource?: string
  /** The one it carries out, by name. */
  readonly pipe?: string
  readonly createdAfter?: number
  readonly createdBefore?: number
}

/** Small results lie in the database itself, others in the blob store. */
export type StoredResult = Omit<JobResult, 'isExpired'> & {
  /** When its job completed, epoch ms. */
  readonly storedAt: number
  readonly content: { readonly data: Uint8Array } | { readonly blobKey: string }
}

export type LogIndex = {
  readonly status: JobStatus
  readonly attempt: number
  readonly parts: readonly LogPart[]
  /** True when the log was removed by retention. */
  readonly purged: boolean
}

export type AddArtifact = {
  readonly workspace: string
  readonly artifact: Artifact
  /** Where the uploaded content lies. */
  readonly blobKey: string
  /** Given by a worker or a job's own token: only while that attempt runs. */
  readonly attempt?: number
}
export type AddArtifactOutcome =
  /** Where the content of that hash lies. */
  { readonly type: 'added'; readonly blobKey: string } | { readonly type: 'name_taken' | 'not_found' | 'not_running' }

export type Workspace = { readonly id: string; readonly name: string; readonly createdAt: number }
export type NewToken = {
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly role: string | null
  readonly scopes: readonly string[]
  readonly hash: string
  readonly expiresAt: number | null
}
export type Token = NewToken & { readonly createdAt: number }

export type WorkerBeat = {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly roles: readonly string[]
  readonly slots: number
  readonly startedAt: number
}
export type Worker = WorkerBeat & { readonly seenAt: number; readonly running: number }

export type QueueStatistics = {
  readonly counts: readonly { readonly status: JobStatus; readonly kind: Kind; readonly count: number }[]
  readonly oldestQueuedAt: number | null
  /** Runs that have not ended. */
  readonly openRuns: number
  readonly pendingDeliveries: number
}
