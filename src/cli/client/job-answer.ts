import type { JobStatus } from '../../model/job-status.ts'

/** The fields of a job in the API's answers that the command line shows (`docs/api/`). */
export type JobAnswer = {
  readonly job_id: string
  readonly kind: string
  readonly name: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly status: JobStatus
  readonly status_reason: string | null
  readonly error: { readonly code: string; readonly message: string } | null
  readonly queue: string
  readonly priority: number
  readonly created_at: string
  readonly scheduled_at: string | null
  readonly queued_at: string | null
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly attempt: number
  readonly maximum_attempts: number
  /** Attempts lost by the system, which do not count towards the maximum. */
  readonly system_attempts: number
  readonly worker_id: string | null
  readonly workflow_id: string | null
  readonly run_id: string | null
  readonly parent_job_id: string | null
  readonly rerun_of: string | null
  readonly progress: { readonly percentage: number | null; readonly message: string | null } | null
  readonly exit_code: number | null
  readonly signal: string | null
  readonly statistics?: StatisticsAnswer | null
  readonly result?: {
    readonly format: string
    readonly bytes: number
    readonly sha256: string
    readonly url: string
    readonly expires_at: string | null
  } | null
  readonly spec: Readonly<Record<string, unknown>>
}

/** Statistics that have their own texts. */
type StatisticsAnswer = {
  readonly rows_read?: number
  readonly rows_written?: number
  readonly rows_deleted?: number
  readonly rows_to_be_deleted?: number
  readonly quarantine_rows?: number
  readonly invalid_lines?: number
  readonly row_count?: number
  readonly bytes?: number
  readonly bytes_read?: number
  readonly elapsed_ms?: number
  readonly delimiter?: string
  readonly header?: boolean
}

/** A log line in the API's answers. */
export type LogLineAnswer = {
  readonly seq: number
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr'
  readonly line: string
  readonly timestamp: string
}

/** An artifact in the API's answers. */
export type ArtifactAnswer = {
  readonly artifact_id: string
  readonly name: string
  readonly sha256: string
  readonly size: number
  readonly content_type: string
}
