import type { Attempt, Job, JobEvent, JobResult, NewJob } from '../../../model/job.ts'
import { fromOptions, type JobOptions } from './job-options.ts'

/** The job as submitted, as columns of `job AS j`. */
export const BODY_COLUMNS = `
  j.id, j.workspace, j.kind, j.name, j.labels, j.queue, j.priority, j.trigger, j.workflow_id, j.run_id,
  j.parent_job_id, j.exclusive_key, j.data_source, j.pipe, j.scheduled_at, j.options, j.spec, j.scope_set`

/** Used beside `BODY_COLUMNS` in queries of few rows. */
export const SCOPES_COLUMN = '(SELECT scopes FROM millrace.scope_set WHERE scope_set.id = j.scope_set) AS scopes'

export type BodyRow = {
  readonly id: string
  readonly workspace: string
  readonly kind: NewJob['kind']
  readonly name: string | null
  readonly labels: string
  readonly queue: string
  readonly priority: number
  readonly trigger: NewJob['trigger']
  readonly workflow_id: string | null
  readonly run_id: string | null
  readonly parent_job_id: string | null
  readonly exclusive_key: string | null
  readonly data_source: string | null
  readonly pipe: string | null
  readonly scheduled_at: number | null
  readonly options: string | null
  readonly spec: string
  readonly scope_set: number
}

export const toBody = (
  row: BodyRow,
  scopes: readonly string[],
  options: JobOptions = fromOptions(row.options),
): Omit<NewJob, 'secrets' | 'sinks'> => ({
  id: row.id,
  workspace: row.workspace,
  kind: row.kind,
  name: row.name,
  labels: row.labels === '{}' ? NO_LABELS : JSON.parse(row.labels),
  queue: row.queue,
  priority: row.priority,
  trigger: row.trigger,
  workflowId: row.workflow_id,
  runId: row.run_id,
  parentJobId: row.parent_job_id,
  exclusiveKey: row.exclusive_key,
  dataSource: row.data_source,
  pipe: row.pipe,
  scheduledAt: row.scheduled_at,
  timeoutMs: options.timeoutMs,
  graceMs: options.graceMs,
  retry: options.retry,
  restartable: options.restartable,
  spec: row.spec,
  scopes,
  rerunOf: options.rerunOf,
})

const NO_LABELS = Object.freeze({})

/** A whole job: what was submitted, its state in `live AS l` or `ended AS e` (exactly one has it), and its result `AS r` if any (`JOB_TABLES`). */
export const JOB_COLUMNS = `${BODY_COLUMNS}, ${SCOPES_COLUMN}, j.created_at,
  coalesce(l.status, e.status) AS status,
  coalesce(l.status_reason, e.status_reason) AS status_reason,
  coalesce(l.error_message, e.error_message) AS error_message,
  coalesce(l.queued_at, e.queued_at) AS queued_at,
  coalesce(l.started_at, e.started_at) AS started_at,
  e.finished_at,
  coalesce(l.updated_at, e.finished_at) AS updated_at,
  coalesce(l.attempt, e.attempt) AS attempt,
  coalesce(l.user_failures, e.user_failures) AS user_failures,
  coalesce(l.system_failures, e.system_failures) AS system_failures,
  coalesce(l.worker_id, e.worker_id) AS worker_id,
  coalesce(l.exit_code, e.exit_code) AS exit_code,
  coalesce(l.signal, e.signal) AS signal,
  coalesce(l.progress, e.progress) AS progress,
  e.statistics, r.format AS result_format, r.bytes AS result_bytes, r.sha256 AS result_sha256,
  r.expires_at AS result_expires_at, r.data IS NULL AND r.blob_key IS NULL AS result_is_expired`

/** Follows `job AS j`. */
export const JOB_TABLES = `
      LEFT JOIN millrace.live AS l ON l.id = j.id
      LEFT JOIN millrace.ended AS e ON e.id = j.id
      LEFT JOIN millrace.result AS r ON r.job_id = j.id`

export type JobRow = BodyRow & {
  readonly scopes: string
  readonly created_at: number
  readonly status: Job['status']
  readonly status_reason: Job['statusReason']
  readonly error_message: string | null
  readonly queued_at: number | null
  readonly started_at: number | null
  readonly finished_at: number | null
  readonly updated_at: number
  readonly attempt: number
  readonly user_failures: number
  readonly system_failures: number
  readonly worker_id: string | null
  readonly exit_code: number | null
  readonly signal: string | null
  readonly progress: string | null
  readonly statistics: string | null
  readonly result_format: JobResult['format'] | null
  readonly result_bytes: number
  readonly result_sha256: string
  readonly result_expires_at: number | null
  readonly result_is_expired: boolean
}

export const toJob = (row: JobRow): Job => ({
  ...toBody(row, JSON.parse(row.scopes)),
  status: row.status,
  statusReason: row.status_reason,
  errorMessage: row.error_message,
  createdAt: row.created_at,
  queuedAt: row.queued_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  updatedAt: row.updated_at,
  attempt: row.attempt,
  userFailures: row.user_failures,
  systemFailures: row.system_failures,
  workerId: row.worker_id,
  exitCode: row.exit_code,
  signal: row.signal,
  progress: row.progress === null ? null : JSON.parse(row.progress),
  statistics: row.statistics === null ? null : JSON.parse(row.statistics),
  result: toResult(row),
})

const toResult = (row: JobRow): JobResult | null =>
  row.result_format === null
    ? null
    : {
        format: row.result_format,
        bytes: row.result_bytes,
        sha256: row.result_sha256,
        expiresAt: row.result_expires_at,
        isExpired: row.result_is_expired,
      }

/** A status change to report; the columns are the same in `live` and `ended` statements. */
export type EventRow = {
  readonly id: string
  readonly workspace: string
  readonly kind: JobEvent['kind']
  readonly run_id: string | null
  readonly workflow_id: string | null
  readonly parent_job_id: string | null
  readonly status: JobEvent['status']
  readonly status_reason: JobEvent['statusReason']
  readonly now: number
}

export const toEvent = (row: EventRow): JobEvent => ({
  jobId: row.id,
  workspace: row.workspace,
  kind: row.kind,
  runId: row.run_id,
  workflowId: row.workflow_id,
  parentJobId: row.parent_job_id,
  status: row.status,
  statusReason: row.status_reason,
  timestamp: row.now,
})

export type AttemptRow = {
  readonly attempt: number
  readonly worker_id: string | null
  readonly started_at: number
  readonly finished_at: number | null
  readonly outcome: Attempt['outcome']
  readonly reason: Attempt['reason']
  readonly error_message: string | null
  readonly exit_code: number | null
  readonly signal: string | null
  readonly statistics: string | null
}

export const toAttempt = (row: AttemptRow): Attempt => ({
  attempt: row.attempt,
  workerId: row.worker_id,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  outcome: row.outcome,
  reason: row.reason,
  errorMessage: row.error_message,
  exitCode: row.exit_code,
  signal: row.signal,
  statistics: row.statistics === null ? null : JSON.parse(row.statistics),
})
