import { isId } from '../../../kernel/ids.ts'
import type { Attempt, Job, NewJob } from '../../../model/job.ts'
import type { Queryable, Statement } from '../database.ts'
import { fromOptions } from './job-options.ts'
import {
  type AttemptRow,
  BODY_COLUMNS,
  type BodyRow,
  JOB_COLUMNS,
  JOB_TABLES,
  type JobRow,
  SCOPES_COLUMN,
  toAttempt,
  toBody,
  toJob,
} from './job-rows.ts'

type JobKey = { readonly workspace: string; readonly jobId: string }

const GET_JOB: Statement = {
  name: 'get_job',
  text: `
    SELECT ${JOB_COLUMNS}
    FROM millrace.job AS j ${JOB_TABLES}
    WHERE j.id = $1 AND j.workspace = $2`,
}

/** Implements `getJob`. */
export const readJob = async (target: Queryable, { workspace, jobId }: JobKey): Promise<Job | null> => {
  if (!isId(jobId)) return null
  const [row] = await target.query<JobRow>(GET_JOB, [jobId, workspace])
  return row ? toJob(row) : null
}

const GET_SUBMISSION: Statement = {
  name: 'get_submission',
  text: `SELECT ${BODY_COLUMNS}, ${SCOPES_COLUMN}, j.secrets FROM millrace.job AS j WHERE j.id = $1 AND j.workspace = $2`,
}

/** Implements `getSubmission`. */
export const readSubmission = async (target: Queryable, { workspace, jobId }: JobKey): Promise<NewJob | null> => {
  if (!isId(jobId)) return null
  const [row] = await target.query<SubmissionRow>(GET_SUBMISSION, [jobId, workspace])
  return row ? toSubmission(row) : null
}

/** Columns: `BODY_COLUMNS`, `SCOPES_COLUMN` and `j.secrets`. */
export type SubmissionRow = BodyRow & { readonly scopes: string; readonly secrets: Uint8Array | null }

export const toSubmission = (row: SubmissionRow): NewJob => {
  const options = fromOptions(row.options)
  return { ...toBody(row, JSON.parse(row.scopes), options), secrets: row.secrets, sinks: options.sinks }
}

/** The last attempt is in the job's own row instead of `attempt` while a worker holds it or after it has ended the job. */
const LIST_ATTEMPTS: Statement = {
  name: 'list_attempts',
  text: `
    SELECT attempt, worker_id, started_at, finished_at, outcome, reason, error_message, exit_code, signal, statistics
    FROM millrace.attempt
    WHERE job_id = $1
    UNION ALL
    SELECT attempt, worker_id, started_at, NULL, 'running', NULL, NULL, NULL, NULL, NULL
    FROM millrace.live
    WHERE id = $1 AND status IN ('running', 'cancelling')
    UNION ALL
    SELECT attempt, worker_id, started_at, finished_at, status, status_reason, error_message, exit_code, signal, statistics
    FROM millrace.ended
    WHERE id = $1 AND worker_id IS NOT NULL
    ORDER BY attempt`,
}

const JOB_EXISTS: Statement = {
  name: 'job_exists',
  text: 'SELECT FROM millrace.job WHERE id = $1 AND workspace = $2',
}

export const jobExists = async (target: Queryable, { workspace, jobId }: JobKey): Promise<boolean> =>
  isId(jobId) && (await target.query(JOB_EXISTS, [jobId, workspace])).length > 0

/** Implements `listAttempts`. */
export const listAttempts = async (target: Queryable, key: JobKey): Promise<readonly Attempt[] | null> => {
  if (!(await jobExists(target, key))) return null
  return (await target.query<AttemptRow>(LIST_ATTEMPTS, [key.jobId])).map(toAttempt)
}
