import type { NewJob } from '../../../model/job.ts'
import type { PendingReason } from '../../../model/job-status.ts'
import type { AnswerShape } from '../../../model/submit-answer.ts'
import type { IdempotencyKey, SubmitJobs } from '../../store.ts'
import { arrayLiteral, storable } from '../array-literal.ts'
import type { Queryable, Statement } from '../database.ts'
import { KEEP_MS } from '../idempotency.ts'
import { batchTable, batchValues, type Column } from './columns.ts'
import { toOptions } from './job-options.ts'

/** The jobs of one call, and where to store its answer. */
export type Accepted = Pick<SubmitJobs, 'jobs' | 'idempotency'>

/** `queued`, or what the job waits for; null: its scheduled time if it has one, otherwise nothing. */
export type Start = 'queued' | Exclude<PendingReason, 'scheduled' | 'retry_wait'> | null

const columns = (
  scopeSetOf: (scopes: readonly string[]) => number,
  startOf: (job: NewJob) => Start,
  runOf: (job: NewJob) => string | null,
): readonly Column<NewJob>[] => [
  { name: 'id', type: 'uuid', of: job => job.id },
  { name: 'workspace', type: 'text', of: job => job.workspace },
  { name: 'kind', type: 'text', of: job => job.kind },
  { name: 'scope_set', type: 'integer', of: job => scopeSetOf(job.scopes) },
  { name: 'name', type: 'text', of: job => job.name },
  { name: 'labels', type: 'text', of: job => JSON.stringify(job.labels) },
  { name: 'queue', type: 'text', of: job => job.queue },
  { name: 'priority', type: 'smallint', of: job => job.priority },
  { name: 'trigger', type: 'text', of: job => job.trigger },
  { name: 'workflow_id', type: 'text', of: job => job.workflowId },
  { name: 'run_id', type: 'text', of: job => job.runId },
  { name: 'parent_job_id', type: 'text', of: job => job.parentJobId },
  { name: 'exclusive_key', type: 'text', of: job => job.exclusiveKey },
  { name: 'data_source', type: 'text', of: job => job.dataSource },
  { name: 'pipe', type: 'text', of: job => job.pipe },
  { name: 'scheduled_at', type: 'bigint', of: job => job.scheduledAt },
  { name: 'options', type: 'text', of: toOptions },
  { name: 'spec', type: 'text', of: job => job.spec },
  { name: 'secrets', type: 'text', of: job => job.secrets && Buffer.from(job.secrets).toString('hex') },
  { name: 'sinks', type: 'text', of: job => (job.sinks.length === 0 ? null : JSON.stringify(job.sinks)) },
  { name: 'start', type: 'text', of: startOf },
  { name: 'item_of', type: 'text', of: runOf },
]

const COLUMNS = columns(
  () => 0,
  () => null,
  () => null,
)
const FIRST_COLUMN = 2
const FIRST_LABEL_COLUMN = FIRST_COLUMN + 2 * COLUMNS.length
const FIRST_ANSWER_COLUMN = FIRST_LABEL_COLUMN + 5

/** `body`, `state` and `label` store the job; `answer` stores the facts from which an idempotent call is answered again. */
const INSERT: Statement = {
  name: 'submit_jobs',
  text: `
    WITH clock AS (SELECT millrace.clock($1::bigint) AS now, nextval('millrace.job_sequence') AS base),
    input AS MATERIALIZED (
      SELECT i.*, clock.now, clock.base + i.position AS sequence,
        CASE
          WHEN i.start IS NOT NULL THEN nullif(i.start, 'queued')
          WHEN i.scheduled_at > clock.now THEN 'scheduled'
        END AS waits_for
      FROM clock, ${batchTable(COLUMNS, FIRST_COLUMN)} AS i
    ),
    body AS (
      INSERT INTO millrace.job (
        id, workspace, sequence, created_at, scope_set, priority, kind, trigger, queue, name, labels, workflow_id, run_id,
        parent_job_id, exclusive_key, data_source, pipe, scheduled_at, options, spec, secrets
      )
      SELECT
        id, workspace, sequence, now, scope_set, priority, kind, trigger, queue, name, labels, workflow_id, run_id,
        parent_job_id, exclusive_key, data_source, pipe, scheduled_at, options, spec, decode(secrets, 'hex')
      FROM input
    ),
    state AS (
      INSERT INTO millrace.live (
        id, sequence, updated_at, queued_at, due_at, priority, workspace, kind, status, status_reason,
        run_id, workflow_id, parent_job_id, exclusive_key, sinks, item_of
      )
      SELECT
        id, sequence, now, CASE WHEN waits_for IS NULL THEN now END,
        CASE WHEN waits_for = 'scheduled' THEN scheduled_at END, priority, workspace, kind,
        CASE WHEN waits_for IS NULL THEN 'queued' ELSE 'pending' END, waits_for,
        run_id, workflow_id, parent_job_id, exclusive_key, sinks, item_of
      FROM input
    ),
    label AS (
      INSERT INTO millrace.job_label (workspace, key, value, sequence, job_id)
      SELECT l.workspace, l.key, l.value, clock.base + l.position, l.job_id
      FROM clock, unnest($${FIRST_LABEL_COLUMN}::bigint[], $${FIRST_LABEL_COLUMN + 1}::text[], $${FIRST_LABEL_COLUMN + 2}::text[], $${FIRST_LABEL_COLUMN + 3}::text[],
        $${FIRST_LABEL_COLUMN + 4}::uuid[]) AS l (position, workspace, key, value, job_id)
    ),
    answer AS (
      UPDATE millrace.idempotency AS i
      SET status = 201, expires_at = clock.now + ${KEEP_MS},
        submitted = json_build_object('shape', a.shape, 'more', a.more::json, 'createdAt', clock.now, 'jobs', (
          SELECT json_agg(json_build_array(
            input.id, CASE WHEN input.waits_for IS NULL THEN 'queued' ELSE 'pending' END) ORDER BY input.position)
          FROM input WHERE input.position BETWEEN a.first_position AND a.last_position))
      FROM clock, unnest($${FIRST_ANSWER_COLUMN}::text[], $${FIRST_ANSWER_COLUMN + 1}::text[], $${FIRST_ANSWER_COLUMN + 2}::text[], $${FIRST_ANSWER_COLUMN + 3}::text[],
        $${FIRST_ANSWER_COLUMN + 4}::text[], $${FIRST_ANSWER_COLUMN + 5}::text[], $${FIRST_ANSWER_COLUMN + 6}::bigint[],
        $${FIRST_ANSWER_COLUMN + 7}::bigint[])
        AS a (workspace, method, path, key, shape, more, first_position, last_position)
      WHERE i.workspace = a.workspace AND i.method = a.method AND i.path = a.path AND i.key = a.key
    )
    SELECT now FROM clock`,
}

const NOTHING = () => null
const runOf = (job: NewJob) => job.runId
const NO_CALLS: readonly Accepted[] = []

/** Stores up to 20,000 jobs in one statement and returns its timestamp. */
export const insertJobs = async (
  target: Queryable,
  input: {
    readonly now: number | null
    /** Calls whose answers to store. */
    readonly calls?: readonly Accepted[]
    readonly jobs: readonly NewJob[]
    readonly startOf?: (job: NewJob) => Start
    /** The jobs are items of their runs. */
    readonly areItems?: true
    readonly scopeSetOf: (scopes: readonly string[]) => number
  },
): Promise<number> => {
  const rows = await target.query<{ now: number }>(INSERT, [
    input.now,
    ...batchValues(columns(input.scopeSetOf, input.startOf ?? NOTHING, input.areItems ? runOf : NOTHING), input.jobs),
    ...labelValues(input.jobs),
    ...answerValues(input.calls ?? NO_CALLS),
  ])
  return rows[0]!.now
}

const labelValues = (jobs: readonly NewJob[]): string[] => {
  const labels = jobs.flatMap((job, index) =>
    Object.entries(job.labels).map(([key, value]) => ({ job, position: index + 1, key, value })),
  )
  return [
    arrayLiteral(labels, label => label.position),
    arrayLiteral(labels, label => label.job.workspace),
    arrayLiteral(labels, label => label.key),
    arrayLiteral(labels, label => label.value),
    arrayLiteral(labels, label => label.job.id),
  ]
}

/** Maps each idempotency key to the positions in the statement that are its answer. */
const answerValues = (calls: readonly Accepted[]): string[] => {
  const answers: (IdempotencyKey & AnswerShape & { first: number; last: number })[] = []
  let next = 1
  for (const { jobs, idempotency } of calls) {
    const last = next + jobs.length - 1
    if (idempotency) {
      const { key, ...answer } = idempotency
      answers.push({ ...key, ...answer, first: next, last })
    }
    next = last + 1
  }
  const column = (value: (answer: (typeof answers)[number]) => string | number) => arrayLiteral(answers, value)
  return [
    column(answer => storable(answer.workspace)),
    column(answer => storable(answer.method)),
    column(answer => storable(answer.path)),
    column(answer => storable(answer.key)),
    column(answer => answer.shape),
    column(answer => JSON.stringify(answer.more ?? null)),
    column(answer => answer.first),
    column(answer => answer.last),
  ]
}
