import type { Artifact, Attempt, ClaimedJob, Job, JobEvent, JobResult, Lease, NewJob, Progress } from '../model/job.ts'
import type { CancelReason, JobStatus } from '../model/job-status.ts'
import type { Kind } from '../model/kind.ts'
import type { LogPart } from '../model/log-line.ts'
import type { AttemptEnd } from '../model/outcome.ts'
import type { AnswerShape } from '../model/submit-answer.ts'
import type { Trigger } from '../model/trigger.ts'
import type { Notification, RunEvent } from '../model/workflow.ts'
import type { AnalyticsStore } from './analytics-store.ts'
import type { DataStore } from './data-store.ts'
import type { SinkStore } from './sink-store.ts'
import type { WorkflowStore } from './workflow-store.ts'

/**
 * Everything Millrace stores, in domain terms. Two implementations, `sqlite/` and `postgres/`, pass one conformance suite (`test/conformance/`).
 *
 * - Every method is one transaction; once its promise resolves, its writes survive `kill -9` and power loss.
 * - A lost race is a value (`applied: false`, `'ended'`, …), never an exception. A thrown error is a database failure.
 * - Every query about a user's data includes `workspace`: what belongs to another workspace does not exist.
 * - `now` is the store's clock (SQLite: the process's; PostgreSQL: the database's), never the caller's.
 */
export interface Store extends WorkflowStore, SinkStore, AnalyticsStore, DataStore {
  // Submit and claim (the hot path: always in batches)
  /** All or nothing. A job is `pending` if it is scheduled for later or its exclusive key is held, otherwise `queued`. */
  submitJobs(input: SubmitJobs): Promise<SubmitOutcome>
  /** Takes up to `limit` queued jobs of the given kinds, highest priority first, then in order of submission, and starts an attempt of each. */
  claimJobs(input: ClaimJobs): Promise<readonly ClaimedJob[]>
  /**
   * Ends attempts, each fenced by its lease. A `cancelling` job becomes `cancelled` whatever the end says; a job that has published
   * (`commitPublication`) completes or is queued again, whatever else the end says. Frees exclusive keys and queues the next job waiting for each.
   */
  endAttempts(ends: readonly EndAttempt[]): Promise<readonly EndResult[]>

  // Leases
  /** Extends leases that have not expired. Reports lost leases and jobs to stop. */
  renewLeases(input: { leases: readonly Lease[]; leaseMs: number }): Promise<RenewOutcome>
  /** Jobs of this worker that are `cancelling`; renews nothing. Call it on a `cancel` signal. */
  listCancelling(input: { workerId: string }): Promise<readonly CancelOrder[]>
  /**
   * Running and cancelling jobs whose lease has expired. With `workerIds`, instead all such jobs of these workers, whatever their lease: a restarted single
   * server rescues its predecessor's jobs at once. First clamps times that a clock set back would extend: no lease ends later than now + `leaseMs`,
   * no retry later than now + its wait.
   */
  listLostAttempts(input: {
    leaseMs: number
    limit: number
    workerIds?: readonly string[]
  }): Promise<readonly LostAttempt[]>

  // Time
  /** Moves due pending jobs to `queued` (respecting exclusive keys). `nextDueAt` is when to call again; null: nothing is waiting. */
  promoteDueJobs(input: { limit: number }): Promise<{ promoted: number; nextDueAt: number | null }>
  /** Milliseconds since the epoch by the store's clock. */
  now(): Promise<number>

  // User operations on jobs
  /** `cancelling` without any change if the job is queued to finish its publication, which nothing stops. */
  cancelJob(input: {
    workspace: string
    jobId: string
    reason: CancelReason
    graceMs: number | null
  }): Promise<CancelOutcome>
  /** Cancels up to `limit` matching jobs that have not ended and are not yet cancelling; call until `cancelled + cancelling` is 0. */
  cancelMatching(input: {
    workspace: string
    filters: JobFilters
    reason: CancelReason
    limit: number
  }): Promise<{ cancelled: number; cancelling: number }>
  getJob(input: { workspace: string; jobId: string }): Promise<Job | null>
  /** What `rerun` resubmits: the body with its sealed secrets. */
  getSubmission(input: { workspace: string; jobId: string }): Promise<NewJob | null>
  /** Newest first. A page may have fewer than `limit` jobs and still a `nextCursor` (the scan per page is bounded). Throws `invalid_cursor`. */
  listJobs(input: {
    workspace: string
    filters: JobFilters
    limit: number
    cursor: string | null
  }): Promise<{ jobs: readonly Job[]; nextCursor: string | null }>
  countJobs(input: { workspace: string; filters: JobFilters }): Promise<number>
  listAttempts(input: { workspace: string; jobId: string }): Promise<readonly Attempt[] | null>
  /** Progress of a running attempt; the newest wins. Workers pass `lease`; calls with a job's own token do not. */
  setProgress(input: {
    workspace: string
    jobId: string
    progress: Progress
    lease?: Lease
  }): Promise<'set' | 'not_running' | 'not_found'>
  /** Where a completed job's result is stored. Every read of a job includes `result`, without the content. */
  getResult(input: {
    workspace: string
    jobId: string
  }): Promise<StoredResult | 'not_found' | 'not_finished' | 'none' | 'expired'>
  /** Deletes the content of expired results; jobs keep format, size and hash, and report the expiry. */
  purgeResults(input: { limit: number }): Promise<number>
  /** Deletes an ended job and everything it left. Its blobs become doomed. `delivery_pending`: a delivery of its end is still pending. */
  purgeJob(input: {
    workspace: string
    jobId: string
  }): Promise<'purged' | 'not_ended' | 'delivery_pending' | 'not_found'>

  // Logs
  /** Adds stored parts of a running attempt's log. `replacesFrom` deletes inline parts from that seq on in the same transaction (sealing a tail). */
  addLogParts(input: { lease: Lease; parts: readonly LogPart[]; replacesFrom?: number }): Promise<{ applied: boolean }>
  /** Parts with lines from `fromSeq` on, in order, at most `limit`, including the data of inline ones. null: no such job. */
  listLogParts(input: { workspace: string; jobId: string; fromSeq: number; limit: number }): Promise<LogIndex | null>

  // Artifacts and blobs
  /**
   * Turns an uploaded blob into an artifact. One of an attempt is accepted only while that attempt runs, and replaces one with the same name that an earlier
   * attempt left. If its hash is already stored, the existing blob is used, and the returned key differs from the given one.
   */
  addArtifact(input: AddArtifact): Promise<AddArtifactOutcome>
  /** Changes the key of a content, by hash, for all its artifacts. Not applied if it is no longer at `from`. */
  replaceBlob(input: { sha256: string; from: string; to: string }): Promise<{ applied: boolean }>
  listArtifacts(input: { workspace: string; jobId: string }): Promise<readonly Artifact[] | null>
  getArtifact(input: {
    workspace: string
    jobId: string
    artifactId: string
  }): Promise<{ artifact: Artifact; blobKey: string } | null>
  /** Keys of unreferenced blobs, oldest first, continuing after `cursor`. The returned cursor is null at the end. */
  listDoomedBlobs(input: { limit: number; cursor?: number | null }): Promise<DoomedBlobs>
  /** Call after their content has been deleted. */
  forgetDoomedBlobs(input: { keys: readonly string[] }): Promise<void>
  /** Those of these keys that something references (artifacts, results, log parts). An old key not returned is an orphan of a crash. */
  filterKnownBlobs(input: { keys: readonly string[] }): Promise<readonly string[]>

  // Idempotency (`api.md`, Conventions)
  beginIdempotent(input: { key: IdempotencyKey; bodyHash: string }): Promise<IdempotencyOutcome>
  /** The key's first call is still running: reserves the key for another minute. A no-op if the call has been answered. */
  renewIdempotent(input: { key: IdempotencyKey }): Promise<void>
  /** Keeps the answer for 24 h; `answer: null` releases the key (after a 5xx). */
  finishIdempotent(input: { key: IdempotencyKey; answer: KeptAnswer | null }): Promise<void>

  // Retention (each call deletes at most `limit` rows and returns how many, so that batches stay short)
  /**
   * Checks `limit` jobs, earliest ended first, continuing after `cursor`. Skips jobs with a pending delivery: there may be many, and no later batch
   * of the same pass checks them again. The returned `cursor` is null at the end.
   */
  purgeEndedJobs(input: {
    endedBefore: number
    limit: number
    cursor?: string | null
  }): Promise<{ purged: number; cursor: string | null }>
  /** Deletes logs of jobs that ended before `endedBefore`; the jobs stay. */
  purgeLogs(input: { endedBefore: number; limit: number }): Promise<number>
  purgeIdempotency(input: { limit: number }): Promise<number>
  purgeWorkers(input: { seenBefore: number; limit: number }): Promise<number>

  // Workspaces, tokens, workers
  createWorkspace(input: { id: string; name: string }): Promise<Workspace | 'exists'>
  listWorkspaces(): Promise<readonly Workspace[]>
  createToken(input: NewToken): Promise<Token>
  /** Looks up a token by the SHA-256 of its text; expired tokens are not found. */
  findToken(input: { hash: string }): Promise<Token | null>
  listTokens(input: { workspace: string }): Promise<readonly Token[]>
  deleteToken(input: { workspace: string; tokenId: string }): Promise<boolean>
  /** What a job's own token grants while that attempt runs. */
  findRunningAttempt(input: {
    jobId: string
    attempt: number
  }): Promise<{ workspace: string; scopes: readonly string[] } | null>
  beatWorker(input: WorkerBeat): Promise<void>
  listWorkers(): Promise<readonly Worker[]>
  /** Live jobs by status and kind, when the oldest queued one was queued, and other backlogs. For metrics; instance-wide. */
  queueStatistics(): Promise<QueueStatistics>

  /** Small facts about the installation that must persist (for example the instance id). */
  getSetting(input: { name: string }): Promise<string | null>
  setSetting(input: { name: string; value: string }): Promise<void>
  /** Compare-and-set of a setting from `from` (null: not set) to `to`. Returns whether it was at `from`. */
  replaceSetting(input: { name: string; from: string | null; to: string }): Promise<boolean>

  /** Hints that arrive after a commit in this process and (PostgreSQL) in others, coalesced. They may be lost, so poll as well. */
  onSignal(listener: (signal: StoreSignal) => void): () => void
  /** Throws if the store cannot be written. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** `cursor` continues after these keys. */
export type DoomedBlobs = { readonly keys: readonly string[]; readonly cursor: number | null }

export type StoreSignal =
  /** There may be something to claim. */
  | { readonly type: 'queued' }
  /** There may be a job to stop: call `listCancelling`. */
  | { readonly type: 'cancel' }
  /** Something may be due earlier than `promoteDueJobs` last reported. */
  | { readonly type: 'pending' }
  /** A workflow may fire earlier than `listDueWorkflows` last reported. */
  | { readonly type: 'schedule' }
  /** There may be a delivery to claim. */
  | { readonly type: 'delivery' }
  /** Status changes of jobs, in order per job. */
  | { readonly type: 'events'; readonly events: readonly JobEvent[] }
  /** Status changes of runs, in order per run. */
  | { readonly type: 'run_events'; readonly events: readonly RunEvent[] }
  | { readonly type: 'notification'; readonly notification: Notification }
  /** Events of other processes may have been missed; re-read what matters. */
  | { readonly type: 'missed_events' }
  /** New log parts of this job (PostgreSQL, other processes). */
  | { readonly type: 'log'; readonly jobId: string }

export type IdempotencyKey = {
  readonly workspace: string
  readonly method: string
  readonly path: string
  readonly key: string
}
/** `body` is the JSON text as sent. */
export type KeptAnswer = { readonly status: number; readonly body: string }
export type IdempotencyOutcome =
  | { readonly type: 'new' }
  | { readonly type: 'answered'; readonly answer: KeptAnswer }
  | { readonly type: 'mismatch' }
  | { readonly type: 'in_progress' }

export type SubmitJobs = {
  readonly jobs: readonly NewJob[]
  /** Limit on the workspace's `pending` and `queued` jobs together, including the new ones. */
  readonly maxQueued: number
  /** Stored in the same transaction. */
  readonly idempotency?: AnswerToKeep
}
/** The key under which to store the answer to a submit. */
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
  /** The rest of the attempt's log, stored in the same transaction. */
  readonly log: readonly LogPart[]
}
/** `applied: false`: the lease was lost and nothing was written. */
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
  /** `isNew`: whether this call caused it. */
  | { readonly type: 'cancelled' | 'cancelling'; readonly isNew: boolean; readonly job: Job }
  | { readonly type: 'ended'; readonly job: Job }
  | { readonly type: 'not_found' }

/** All given filters must match; values within one filter are alternatives. */
export type JobFilters = {
  readonly status?: readonly JobStatus[]
  readonly kind?: readonly Kind[]
  readonly trigger?: Trigger
  readonly workflowId?: string
  readonly runId?: string
  readonly parentJobId?: string
  /** Prefix. */
  readonly name?: string
  /** All must match. */
  readonly labels?: readonly { readonly key: string; readonly value: string }[]
  readonly queue?: string
  /** Name of the data source the job writes. */
  readonly dataSource?: string
  /** Name of the pipe the job runs. */
  readonly pipe?: string
  readonly createdAfter?: number
  readonly createdBefore?: number
}

/** Small results are stored in the database itself, others in the blob store. */
export type StoredResult = Omit<JobResult, 'isExpired'> & {
  /** When its job completed, epoch ms. */
  readonly storedAt: number
  readonly content: { readonly data: Uint8Array } | { readonly blobKey: string }
}

export type LogIndex = {
  readonly status: JobStatus
  readonly attempt: number
  readonly parts: readonly LogPart[]
  /** True if retention has removed the log. */
  readonly purged: boolean
}

export type AddArtifact = {
  readonly workspace: string
  readonly artifact: Artifact
  /** Where the uploaded content is stored. */
  readonly blobKey: string
}
export type AddArtifactOutcome =
  /** Where the content with that hash is stored. */
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
