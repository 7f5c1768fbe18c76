import type { FailureReason } from '../kernel/errors.ts'
import type { CancelReason, JobStatus, PendingReason } from './job-status.ts'
import type { Kind } from './kind.ts'
import type { Statistics } from './outcome.ts'
import type { RetryPolicy } from './retry.ts'
import type { SinkRule } from './workflow.ts'

/** Times are epoch milliseconds, durations milliseconds, sizes bytes. Ids are UUIDv7 text. */
export type StatusReason = FailureReason | CancelReason | PendingReason | 'shutdown'

/** What a submitter made; never changes. */
export type NewJob = {
  readonly id: string
  readonly workspace: string
  readonly kind: Kind
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly queue: string
  /** −100…100; higher is claimed first. */
  readonly priority: number
  readonly trigger: 'manual' | 'automatic'
  readonly workflowId: string | null
  readonly runId: string | null
  readonly parentJobId: string | null
  readonly rerunOf: string | null
  /** One job per key and workspace runs; the others are `pending`. */
  readonly exclusiveKey: string | null
  /** The data source it writes, by name; null: none. */
  readonly dataSource: string | null
  /** The pipe it carries out, by name; null: none. */
  readonly pipe: string | null
  /** null: now. */
  readonly scheduledAt: number | null
  readonly timeoutMs: number | null
  readonly graceMs: number | null
  readonly retry: RetryPolicy
  readonly restartable: boolean
  /** The job body as JSON text, secret values replaced by `"***"`. */
  readonly spec: string
  /** The secret values, sealed (`src/store/secrets.ts`). */
  readonly secrets: Uint8Array | null
  /** Scopes of the submitter: the job's own token never has more. */
  readonly scopes: readonly string[]
  /** Who is told of its end; empty for most. */
  readonly sinks: readonly SinkRule[]
}

export type Progress = {
  /** 0…100 or null when unknown. */
  readonly percentage: number | null
  readonly message: string | null
  readonly steps?: readonly { readonly id: string; readonly status: string }[]
}

/** The one output of a job, as reads of the job show it. */
export type JobResult = {
  readonly format: ResultFormat
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
  /** From completion; Infinity is stored as null and means never. */
  readonly expiresAt: number | null
  /** Its content has been removed. */
  readonly isExpired: boolean
}

export const RESULT_FORMATS = ['json', 'arrow', 'arrow_stream', 'parquet', 'csv', 'ndjson', 'ndjson_exact'] as const
export type ResultFormat = (typeof RESULT_FORMATS)[number]

/** A job as it is read: what was submitted and where it stands. */
export type Job = Omit<NewJob, 'secrets' | 'sinks'> & {
  readonly status: JobStatus
  readonly statusReason: StatusReason | null
  /** What went wrong in words, for a failed job or one that waits for a retry. */
  readonly errorMessage: string | null
  readonly createdAt: number
  readonly queuedAt: number | null
  /** Start of the current or last attempt. */
  readonly startedAt: number | null
  readonly finishedAt: number | null
  /** The last change of status. */
  readonly updatedAt: number
  /** Number of the current or last attempt; 0 before the first. */
  readonly attempt: number
  readonly userFailures: number
  readonly systemFailures: number
  readonly workerId: string | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly progress: Progress | null
  /** Of the attempt that ended it. */
  readonly statistics: Statistics | null
  readonly result: JobResult | null
}

/** A running job in the hands of the worker that claimed it. Every write of the worker repeats id, attempt and token. */
export type ClaimedJob = Omit<NewJob, 'sinks'> & {
  readonly createdAt: number
  readonly startedAt: number
  readonly attempt: number
  readonly leaseToken: string
  readonly userFailures: number
  readonly systemFailures: number
  /** `seq` of the first line this attempt may write. */
  readonly nextLogSeq: number
}

/** The right to write about a running job. */
export type Lease = { readonly jobId: string; readonly attempt: number; readonly leaseToken: string }

export type AttemptOutcome = 'running' | 'completed' | 'failed' | 'cancelled' | 'released'

export type Attempt = {
  readonly attempt: number
  readonly workerId: string | null
  readonly startedAt: number
  readonly finishedAt: number | null
  readonly outcome: AttemptOutcome
  readonly reason: StatusReason | null
  readonly errorMessage: string | null
  readonly exitCode: number | null
  readonly signal: string | null
  readonly statistics: Statistics | null
}

/** A change of a job's status, as `GET /v1/events` tells it. */
export type JobEvent = {
  readonly jobId: string
  readonly workspace: string
  readonly kind: Kind
  readonly runId: string | null
  readonly workflowId: string | null
  readonly parentJobId: string | null
  readonly status: JobStatus
  readonly statusReason: StatusReason | null
  readonly timestamp: number
}

export type Artifact = {
  readonly id: string
  readonly jobId: string
  readonly name: string
  readonly sha256: string
  readonly size: number
  readonly contentType: string
  readonly createdAt: number
}
