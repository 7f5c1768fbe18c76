import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import type { Definition } from '../../model/flatten-select.ts'
import type { Job } from '../../model/job.ts'
import { quoteIdentifier } from '../../warehouse/quote-identifier.ts'
import { quoteText } from '../../warehouse/quote-text.ts'

/** A table of the live database. No data source can have this name. */
export const JOBS_LOG_TABLE = 'c__jobs_log'

/** A job has a row for each copy that found it changed; the newest counts. */
export const createJobsLogSql = (keptMs: number): string => `
  CREATE TABLE IF NOT EXISTS ${quoteIdentifier(JOBS_LOG_TABLE)} (
    job_id String, kind LowCardinality(String), name Nullable(String), status LowCardinality(String),
    status_reason LowCardinality(Nullable(String)), error_message Nullable(String), trigger LowCardinality(String),
    workflow_id Nullable(String), run_id Nullable(String), parent_job_id Nullable(String), rerun_of Nullable(String),
    queue LowCardinality(String), priority Int16, datasource LowCardinality(Nullable(String)),
    pipe LowCardinality(Nullable(String)), created_at DateTime64(3, 'UTC'), scheduled_at Nullable(DateTime64(3, 'UTC')),
    queued_at Nullable(DateTime64(3, 'UTC')), started_at Nullable(DateTime64(3, 'UTC')),
    finished_at Nullable(DateTime64(3, 'UTC')), updated_at DateTime64(3, 'UTC'), attempt UInt32,
    system_attempts UInt32, worker_id Nullable(String), exit_code Nullable(Int32), signal Nullable(String),
    labels String, statistics String, spec String, version UInt64
  ) ENGINE = ReplacingMergeTree(version) ORDER BY job_id${ttl(keptMs)}`

const ttl = (keptMs: number): string =>
  Number.isFinite(keptMs) ? ` TTL toDateTime(created_at) + toIntervalSecond(${Math.ceil(keptMs / 1000)})` : ''

/** The columns of `system.jobs_log`: the fields of a job by their names in the API, objects as JSON text. */
export const toJobsLogRow = (job: Job) => ({
  job_id: job.id,
  kind: job.kind,
  name: job.name,
  status: job.status,
  status_reason: job.statusReason,
  error_message: job.status === 'failed' ? (job.errorMessage ?? '') : null,
  trigger: job.trigger,
  workflow_id: job.workflowId,
  run_id: job.runId,
  parent_job_id: job.parentJobId,
  rerun_of: job.rerunOf,
  queue: job.queue,
  priority: job.priority,
  datasource: job.dataSource,
  pipe: job.pipe,
  created_at: toTimestamp(job.createdAt),
  scheduled_at: nullableTimestamp(job.scheduledAt),
  queued_at: nullableTimestamp(job.queuedAt),
  started_at: nullableTimestamp(job.startedAt),
  finished_at: nullableTimestamp(job.finishedAt),
  updated_at: toTimestamp(job.updatedAt),
  attempt: job.attempt,
  system_attempts: job.systemFailures,
  worker_id: job.workerId,
  exit_code: job.exitCode,
  signal: job.signal,
  labels: JSON.stringify(job.labels),
  statistics: JSON.stringify(job.statistics ?? {}),
  spec: job.spec,
})

type Asked = { readonly workspace: string; readonly catalogue: Catalogue }

/** The names of the log in queries: the one in `system` that users may read (`docs/data.md`), and Tinybird's. */
export const JOBS_LOG_NAMES = ['system.jobs_log', 'tinybird.jobs_log'] as const

/** The definitions of these names. */
export const jobsLogDefinitions = (asked: Asked): ReadonlyMap<string, Definition> =>
  new Map([
    definition(JOBS_LOG_NAMES[0], `SELECT * EXCEPT (version) FROM ${quoteIdentifier(JOBS_LOG_TABLE)} FINAL`),
    definition(JOBS_LOG_NAMES[1], inWordsOfTinybird(asked)),
  ])

const definition = (name: string, sql: string): readonly [string, Definition] => [
  name,
  { name: JOBS_LOG_TABLE, select: { sql, expressions: [], names: [], origins: [] }, meaning: () => null },
]

/**
 * The log in Tinybird's terms, as its service data source: only data jobs. An id is that of the object that now has this name in `/v0`. If the object is gone,
 * the id is null and the name stays in `job_metadata`.
 */
const inWordsOfTinybird = ({ workspace, catalogue: { dataSources, pipes } }: Asked): string => `
  SELECT job_id, kind AS job_type, ${quoteText(workspace)} AS workspace_id, ${idOf('pipe', pipes)} AS pipe_id,
    ${idOf('datasource', dataSources)} AS datasource_id, created_at, started_at, updated_at,
    transform(status, ['pending', 'queued', 'running', 'completed', 'failed'],
      ['waiting', 'waiting', 'working', 'done', 'error'], status) AS status,
    error_message AS error,
    concat('{', ${member('pipe_name', 'pipe', pipes)}, ${member('datasource_name', 'datasource', dataSources)},
      substring(spec, 2)) AS job_metadata,
    job_id AS request_id
  FROM ${quoteIdentifier(JOBS_LOG_TABLE)} FINAL
  WHERE kind IN ('import', 'populate', 'copy', 'query', 'delete')`

type Named = readonly { readonly id: string; readonly name: string }[]

/** A job's body may refer to an object by its id, too. */
const idOf = (column: string, things: Named): string =>
  lookUp(column, "CAST(NULL, 'Nullable(String)')", [
    ...things.map(({ id, name }) => [name, id] as const),
    ...things.map(({ id }) => [id, id] as const),
  ])

const nameOf = (column: string, things: Named): string =>
  lookUp(
    column,
    column,
    things.map(({ id, name }) => [id, name] as const),
  )

const lookUp = (column: string, otherwise: string, pairs: readonly (readonly [string, string])[]): string => {
  const texts = (side: 0 | 1): string => `[${pairs.map(pair => quoteText(pair[side])).join(', ')}]`
  const value = `CAST(${column}, 'Nullable(String)')`
  return pairs.length === 0 ? otherwise : `transform(${value}, ${texts(0)}, ${texts(1)}, ${otherwise})`
}

/** Comes before the members of the spec, which has at least one. */
const member = (key: string, column: string, things: Named): string =>
  `if(isNull(${column}), '', concat('"${key}":', toJSONString(assumeNotNull(${nameOf(column, things)})), ','))`
