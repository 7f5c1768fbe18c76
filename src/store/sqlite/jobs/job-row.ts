import type { ClaimedJob, Job, NewJob } from '../../../model/job.ts'
import { type RetryPolicy, SINGLE_JOB_RETRY } from '../../../model/retry.ts'
import type { SubmittedJob } from '../../store.ts'
import { compactBytes } from '../compact-bytes.ts'
import type { SqlValue } from '../database.ts'

/**
 * Jobs travel between the threads as rows of plain values, encoded and decoded here on the event loop's side; the writer thread binds and reads them
 * as they are. Most columns are usually null.
 */

/** Columns of `job` as submitted, after `seq` and `created_at`. */
export const SUBMITTED_COLUMNS = [
  'id',
  'workspace',
  'kind',
  'queue',
  'trigger',
  'priority',
  'name',
  'workflow_id',
  'run_id',
  'parent_job_id',
  'rerun_of',
  'exclusive_key',
  'scheduled_at',
  'timeout_ms',
  'grace_ms',
  'retry',
  'restartable',
  'labels',
  'spec',
  'data_source',
  'pipe',
] as const

export type SubmittedRow = readonly [...values: SqlValue[]]

/** A job on its way to the writer: its row, and what goes into other tables. */
export type SubmittedJobRow = readonly [
  row: SubmittedRow,
  secrets: Uint8Array | null,
  scopes: string,
  labels: Readonly<Record<string, string>> | null,
  /** JSON list of rules. */
  sinks: string | null,
]

/** The creation time of the jobs, and the indexes of those that are pending; the others are queued. */
export type SubmitAnswer = readonly [createdAt: number, pending: readonly number[]]

export const encodeJobs = (jobs: readonly NewJob[]): readonly SubmittedJobRow[] => {
  const scopesText = textOnce()
  return jobs.map(job => encodeJob(job, scopesText))
}

/** Jobs of one call have one submitter and share its list of scopes. */
const textOnce = (): ((scopes: readonly string[]) => string) => {
  const texts = new Map<readonly string[], string>()
  return scopes => {
    const known = texts.get(scopes)
    if (known !== undefined) return known
    const text = JSON.stringify(scopes)
    texts.set(scopes, text)
    return text
  }
}

export const decodeSubmittedJobs = (
  jobs: readonly NewJob[],
  [createdAt, pending]: SubmitAnswer,
): readonly SubmittedJob[] => {
  const waiting = new Set(pending)
  return jobs.map(({ id }, index) => ({ id, status: waiting.has(index) ? 'pending' : 'queued', createdAt }))
}

const encodeJob = (job: NewJob, scopesText: (scopes: readonly string[]) => string): SubmittedJobRow => {
  const labels = Object.keys(job.labels).length === 0 ? null : job.labels
  return [
    [
      job.id,
      job.workspace,
      job.kind,
      job.queue,
      job.trigger,
      job.priority,
      job.name,
      job.workflowId,
      job.runId,
      job.parentJobId,
      job.rerunOf,
      job.exclusiveKey,
      job.scheduledAt,
      job.timeoutMs,
      job.graceMs,
      encodeRetry(job.retry),
      job.restartable ? 1 : 0,
      labels && JSON.stringify(labels),
      job.spec,
      job.dataSource,
      job.pipe,
    ],
    job.secrets && compactBytes(job.secrets),
    scopesText(job.scopes),
    labels,
    job.sinks.length === 0 ? null : JSON.stringify(job.sinks),
  ]
}

const encodeRetry = (retry: RetryPolicy): string | null =>
  retry === SINGLE_JOB_RETRY || JSON.stringify(retry) === SINGLE_JOB_TEXT ? null : JSON.stringify(retry)

const SINGLE_JOB_TEXT = JSON.stringify(SINGLE_JOB_RETRY)

export const decodeRetry = (text: string | null): RetryPolicy => (text === null ? SINGLE_JOB_RETRY : JSON.parse(text))

/** The job as submitted, without its secrets. `FROM job JOIN scope_set`. */
const SUBMITTED_SQL = `${SUBMITTED_COLUMNS.map(column => `job.${column}`).join(', ')},
  (SELECT scopes FROM scope_set WHERE id = job.scope_set)`

type Row = readonly unknown[]

const decodeSubmitted = (row: Row): Omit<NewJob, 'secrets' | 'sinks'> =>
  ({
    id: row[0],
    workspace: row[1],
    kind: row[2],
    queue: row[3],
    trigger: row[4],
    priority: row[5],
    name: row[6],
    workflowId: row[7],
    runId: row[8],
    parentJobId: row[9],
    rerunOf: row[10],
    exclusiveKey: row[11],
    scheduledAt: row[12],
    timeoutMs: row[13],
    graceMs: row[14],
    retry: decodeRetry(row[15] as string | null),
    restartable: row[16] === 1,
    labels: row[17] === null ? {} : JSON.parse(row[17] as string),
    spec: row[18],
    dataSource: row[19],
    pipe: row[20],
    scopes: parseScopes(row[21] as string),
  }) as Omit<NewJob, 'secrets' | 'sinks'>

let lastScopes: { readonly text: string; readonly scopes: readonly string[] } = { text: '[]', scopes: [] }

/** Nearly every job has the same scopes as the one before. */
const parseScopes = (text: string): readonly string[] => {
  if (text !== lastScopes.text) lastScopes = { text, scopes: Object.freeze(JSON.parse(text)) }
  return lastScopes.scopes
}

const AFTER_SUBMITTED = SUBMITTED_COLUMNS.length + 1

/** The body with its sealed secrets and its sinks. */
export const SUBMISSION_SQL = `${SUBMITTED_SQL}, job.secrets, job.sinks`

export const decodeSubmission = (row: Row): NewJob => ({
  ...decodeSubmitted(row),
  secrets: row[AFTER_SUBMITTED] as Uint8Array | null,
  sinks: row[AFTER_SUBMITTED + 1] === null ? [] : JSON.parse(row[AFTER_SUBMITTED + 1] as string),
})

/** What a claim returns to the worker. `FROM live JOIN job`. */
export const CLAIMED_SQL = `${SUBMITTED_SQL}, job.secrets, job.created_at, live.started_at, live.attempt, live.lease_token,
  live.user_failures, live.system_failures, live.next_log_seq`

export const decodeClaimed = (row: Row): ClaimedJob =>
  ({
    ...decodeSubmitted(row),
    secrets: row[AFTER_SUBMITTED],
    createdAt: row[AFTER_SUBMITTED + 1],
    startedAt: row[AFTER_SUBMITTED + 2],
    attempt: row[AFTER_SUBMITTED + 3],
    leaseToken: row[AFTER_SUBMITTED + 4],
    userFailures: row[AFTER_SUBMITTED + 5],
    systemFailures: row[AFTER_SUBMITTED + 6],
    nextLogSeq: row[AFTER_SUBMITTED + 7],
  }) as ClaimedJob

/**
 * A job for reading. `FROM job LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq) LEFT JOIN result USING (seq)`: exactly one of `live` and
 * `ended` has a row.
 */
export const JOB_SQL = `${SUBMITTED_SQL}, result.format, result.bytes, result.sha256, result.expires_at,
  coalesce(result.blob_key, result.data) IS NULL, job.created_at, live.updated_at, ended.finished_at, ended.statistics,
  ${[
    'status',
    'status_reason',
    'error_message',
    'queued_at',
    'started_at',
    'attempt',
    'user_failures',
    'system_failures',
    'worker_id',
    'exit_code',
    'signal',
    'progress',
  ]
    .map(column => `coalesce(live.${column}, ended.${column})`)
    .join(', ')}`

/** `now` decides whether a result has expired, even if its content has not been removed yet. */
export const decodeJob = (row: Row, now: number): Job => {
  const [format, bytes, sha256, expiresAt, removed, ...rest] = row.slice(AFTER_SUBMITTED)
  const [createdAt, updatedAt, finishedAt, statistics, ...state] = rest
  return {
    ...decodeSubmitted(row),
    createdAt,
    updatedAt: updatedAt ?? finishedAt,
    finishedAt,
    statistics: decodeJson(statistics),
    status: state[0],
    statusReason: state[1],
    errorMessage: state[2],
    queuedAt: state[3],
    startedAt: state[4],
    attempt: state[5],
    userFailures: state[6],
    systemFailures: state[7],
    workerId: state[8],
    exitCode: state[9],
    signal: state[10],
    progress: decodeJson(state[11]),
    result:
      format === null ? null : { format, bytes, sha256, expiresAt, isExpired: isExpired(removed, expiresAt, now) },
  } as Job
}

const isExpired = (removed: unknown, expiresAt: unknown, now: number): boolean =>
  removed === 1 || (expiresAt !== null && (expiresAt as number) <= now)

const decodeJson = (text: unknown): unknown => (text === null ? null : JSON.parse(text as string))
