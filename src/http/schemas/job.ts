import Type from 'typebox'
import { JOB_STATUSES, type JobStatus } from '../../model/job-status.ts'
import { KINDS } from '../../model/kind.ts'
import type { Statistics as JobStatistics } from '../../model/outcome.ts'
import { NO_NUL, PLAIN_TEXT } from '../../model/patterns.ts'
import { TRIGGERS } from '../../model/trigger.ts'
import {
  choice,
  createdFilters,
  Id,
  NullableInteger,
  NullableNumber,
  NullableText,
  NullableTime,
  nullableObject,
  pageEnd,
  pageQuery,
  strictObject,
  Time,
  words,
} from './basics.ts'

const STATUSES = Object.keys(JOB_STATUSES) as JobStatus[]

const Statistics = Type.Unsafe<JobStatistics | null>({
  type: ['object', 'null'],
  additionalProperties: { type: ['number', 'string', 'boolean'] },
  description: 'Figures that depend on the kind. CSV imports also have the delimiter and header that were used.',
})

/** The schema of `model/job-view.ts`. */
export const JobSchema = Type.Object(
  {
    job_id: Id,
    kind: choice(KINDS),
    name: NullableText,
    labels: Type.Record(Type.String(), Type.String()),
    status: choice(STATUSES),
    status_reason: NullableText,
    error: nullableObject({ code: Type.String(), message: Type.String() }),
    trigger: choice(TRIGGERS),
    workflow_id: NullableText,
    run_id: NullableText,
    parent_job_id: NullableText,
    rerun_of: NullableText,
    queue: Type.String(),
    priority: Type.Integer(),
    created_at: Time,
    scheduled_at: NullableTime,
    queued_at: NullableTime,
    started_at: NullableTime,
    finished_at: NullableTime,
    updated_at: Time,
    attempt: Type.Integer({ description: 'Number of the current or last attempt; 0 before the first.' }),
    maximum_attempts: Type.Integer(),
    system_attempts: Type.Integer({ description: 'Number of attempts that ended in a system failure.' }),
    worker_id: NullableText,
    is_cancellable: Type.Boolean(),
    progress: nullableObject({
      percentage: NullableNumber,
      message: NullableText,
      steps: Type.Array(Type.Object({ id: Type.String(), status: Type.String() })),
    }),
    exit_code: NullableInteger,
    signal: NullableText,
    statistics: Statistics,
    result: nullableObject({
      format: Type.String(),
      bytes: Type.Integer(),
      sha256: Type.String(),
      url: Type.String(),
      expires_at: NullableTime,
    }),
    spec: Type.Record(Type.String(), Type.Unknown(), {
      description: 'The submitted body, with secrets as "***".',
    }),
  },
  { title: 'Job' },
)

export const JobPage = Type.Object({
  jobs: Type.Array(JobSchema),
  ...pageEnd,
})

/** Not empty: cancelling with an unset variable must not cancel everything. */
const plain = (description: string) => Type.String({ minLength: 1, maxLength: 255, pattern: PLAIN_TEXT, description })

/** The filters of a list of jobs, for queries and for the body of `POST /v1/jobs/cancel`. */
const filterProperties = {
  status: Type.Optional(words(STATUSES)),
  kind: Type.Optional(words(KINDS)),
  trigger: Type.Optional(choice(TRIGGERS)),
  workflow_id: Type.Optional(plain('An id.')),
  run_id: Type.Optional(plain('An id.')),
  parent_job_id: Type.Optional(plain('An id.')),
  name: Type.Optional(plain('Prefix of the name.')),
  label: Type.Optional(
    Type.Array(Type.String({ maxLength: 400, pattern: NO_NUL }), {
      minItems: 1,
      maxItems: 16,
      description: 'key:value. If repeated, all must match.',
    }),
  ),
  queue: Type.Optional(plain('Name of a queue.')),
  datasource: Type.Optional(plain('Name of the data source that the job writes to.')),
  pipe: Type.Optional(plain('Name of the pipe of the job.')),
  ...createdFilters,
}

export const FilterQuery = strictObject(filterProperties)
const listProperties = {
  ...filterProperties,
  ...pageQuery,
}
export const ListQuery = strictObject(listProperties)

const { workflow_id, ...ofWorkflow } = listProperties
/** For the jobs of one workflow. */
export const WorkflowJobQuery = strictObject(ofWorkflow)
const { run_id, ...ofRun } = ofWorkflow
/** For the jobs of one run. */
export const RunJobQuery = strictObject(ofRun)

export const WaitQuery = strictObject({
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      description: 'Respond when the job has ended, or after this many seconds.',
    }),
  ),
})

export const CancelBody = strictObject({
  timeout_seconds: Type.Optional(
    Type.Number({ minimum: 0, maximum: 3600, description: 'Time between SIGTERM and SIGKILL.' }),
  ),
})

export const Submitted = Type.Object({
  job_id: Id,
  status: Type.String({ description: 'pending or queued.' }),
  created_at: Time,
})
export const SubmittedBatch = Type.Object({ jobs: Type.Array(Type.Object({ job_id: Id, status: Type.String() })) })

export const AttemptList = Type.Object({
  attempts: Type.Array(
    Type.Object({
      attempt: Type.Integer(),
      worker_id: NullableText,
      started_at: Time,
      finished_at: NullableTime,
      outcome: choice(['running', 'completed', 'failed', 'cancelled', 'released']),
      reason: NullableText,
      message: NullableText,
      exit_code: NullableInteger,
      signal: NullableText,
      statistics: Statistics,
    }),
  ),
})

export const ProgressBody = Type.Object(
  {
    percentage: Type.Optional(Type.Unsafe<number | null>({ type: ['number', 'null'], minimum: 0, maximum: 100 })),
    message: Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 1000, pattern: NO_NUL })),
  },
  { additionalProperties: false, minProperties: 1 },
)

/** What a running job may request. */
export const ExtendBody = Type.Object(
  {
    payload: Type.Optional(
      Type.Array(Type.Unknown(), {
        maxItems: 10_000,
        description: 'Job bodies that join the run when this job completes. May be empty.',
      }),
    ),
    timeout: Type.Optional(Type.Literal(true, { description: 'true: restart the timeout of the attempt.' })),
  },
  { additionalProperties: false, minProperties: 1 },
)
