import type { FailureReason } from '../kernel/errors.ts'
import type { CancelReason, JobStatus, PendingReason } from './job-status.ts'
import type { Kind } from './kind.ts'
import type { Statistics } from './outcome.ts'
import type { RetryPolicy } from './retry.ts'
import type { Trigger } from './trigger.ts'
import type { SinkRule } from './workflow.ts'

/** Times are epoch milliseconds, durations milliseconds, sizes bytes. Ids are UUIDv7 text. */
export type StatusReason = FailureReason | CancelReason | PendingReason | 'shutdown'

/** A job as submitted; never changes. */
export type NewJob = {
  readonly id: string
  readonly workspace: string
  readonly kind: Kind
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly queue: string
  /** −100…100; higher is claimed first. */
  readonly priority: number
  readonly trigger: Trigger
  readonly workflowId: string | null
  readonly runId: string | null
  readonly parentJobId: string | null
  readonly rerunOf: string | null
  /** Only one job per key and workspace runs; the others are `pending`. */
  readonly exclusiveKey: string | null
  /** The name of the data source it writes; null: none. */
  readonly dataSource: string | null
  /** The name of the pipe it runs; null: none. */
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
  /** The submitter's scopes: the job's own token never has more. */
  readonly scopes: readonly string[]
  /** Who is notified of its end; usually empty. */
  readonly sinks: readonly SinkRule[]
}

export type Progress = {
  /** 0…100; null if unknown. */
  readonly percentage: number | null
  readonly message: string | null
  readonly steps?: readonly { readonly id: string; readonly status: string }[]
}

/** The output of a job, as shown with the job. */
export type JobResult = {
  readonly format: ResultFormat
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** Set on completion; null: never. */
  readonly expiresAt: number | null
  /** Its content has been deleted. */
  readonly isExpired: boolean
}

export const RESULT_FORMATS = ['json', 'arrow', 'arrow_stream', 'parquet', 'csv', 'ndjson', 'ndjson_exact'] as const
export type ResultFormat = (typeof RESULT_FORMATS)[number]

/** A job as read: what was submitted, and its current state. */
export type Job = Omit<NewJob, 'secrets' | 'sinks'> & {
  readonly status: JobStatus
  readonly statusReason: StatusReason | null
  /** The failure in words, for a failed job or one that waits for a retry. */
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
  /** Of the attempt that ended the job. */
  readonly statistics: Statistics | null
  readonly result: JobResult | null
}

/** A running job as held by the worker that claimed it. Every write of the worker repeats id, attempt and token. */
export type ClaimedJob = Omit<NewJob, 'sinks'> & {
  readonly createdAt: number
  readonly startedAt: number
  readonly attempt: number
  readonly leaseToken: string
  readonly userFailures: number
  readonly systemFailures: number
  /** The `seq` of the first log line of this attempt. */
  readonly nextLogSeq: number
}

/** Identifies a worker's right to write to a running job. */
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

/** A change of a job's status, as sent by `GET /v1/events`. */
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
  /** The attempt that left it. Null if a user uploaded it. */
  readonly attempt: number | null
  readonly sha256: string
  readonly size: number
  readonly contentType: string
  readonly createdAt: number
}
