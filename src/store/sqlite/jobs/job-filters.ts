import type { JobFilters } from '../../store.ts'
import type { SqlValue } from '../database.ts'

/** A condition with its parameters, for `FROM job LEFT JOIN live USING (seq) LEFT JOIN ended USING (seq)`. */
export type Condition = { readonly sql: string; readonly values: readonly SqlValue[] }

/** The condition that every job matching the filters satisfies. */
export const conditionOf = (workspace: string, filters: JobFilters): Condition => {
  const parts: Condition[] = [
    equals('job.workspace', workspace),
    among('coalesce(live.status, ended.status)', filters.status),
    among('job.kind', filters.kind),
    equals('job.trigger', filters.trigger),
    equals('job.workflow_id', filters.workflowId),
    equals('job.run_id', filters.runId),
    equals('job.parent_job_id', filters.parentJobId),
    equals('job.queue', filters.queue),
    equals('job.data_source', filters.dataSource),
    equals('job.pipe', filters.pipe),
    filters.name ? startsWith('job.name', filters.name) : ALL,
    compare('job.created_at >', filters.createdAfter),
    compare('job.created_at <', filters.createdBefore),
    ...(filters.labels ?? []).map(label => hasLabel(workspace, label)),
  ].filter(part => part !== ALL)
  return { sql: parts.map(part => `(${part.sql})`).join(' AND '), values: parts.flatMap(part => part.values) }
}

const ALL: Condition = { sql: '1', values: [] }

const equals = (column: string, value: string | undefined): Condition =>
  value === undefined ? ALL : { sql: `${column} = ?`, values: [value] }

const compare = (left: string, value: number | undefined): Condition =>
  value === undefined ? ALL : { sql: `${left} ?`, values: [value] }

const among = (column: string, values: readonly string[] | undefined): Condition =>
  values === undefined ? ALL : { sql: `${column} IN (${values.map(() => '?').join(', ')})`, values }

const hasLabel = (workspace: string, { key, value }: { key: string; value: string }): Condition => ({
  sql: 'EXISTS (SELECT 1 FROM job_label l WHERE l.workspace = ? AND l.key = ? AND l.value = ? AND l.seq = job.seq)',
  values: [workspace, key, value],
})

/** A range in binary order, so there are no wildcards. Only longer texts that begin with U+10FFFF sort after it. */
export const startsWith = (column: string, prefix: string): Condition => ({
  sql: `${column} >= ? AND ${column} < ?`,
  values: [prefix, `${prefix}${'\u{10FFFF}'.repeat(4)}`],
})
