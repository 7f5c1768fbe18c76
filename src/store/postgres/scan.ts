import type { JobStatus } from '../../model/job-status.ts'
import type { JobFilters } from '../store.ts'
import { storable } from './array-literal.ts'
import type { Queryable, Statement } from './database.ts'
import { nameConditions, Parameters } from './filters.ts'

export type ScanInput = { readonly workspace: string; readonly filters: JobFilters }

/** Scans candidates, newest first. */
export type Scan = {
  /** What it finds: whole rows of `job`, or (id, sequence) from another table, whose jobs are looked up only where needed. */
  readonly finds: 'jobs' | 'ids'
  /** A query of the newest `limit` candidates below a sequence. */
  readonly write: (parameters: Parameters, range: { readonly below: string; readonly limit: string }) => string
}

/**
 * Chooses the index to scan, newest first. The scan finds all matches and as few other jobs as possible; the remaining filters are checked on each
 * candidate.
 */
export const chooseScan = async (target: Queryable, input: ScanInput): Promise<Scan> => {
  const { filters } = input
  if (filters.runId !== undefined) return byColumn(input, 'run_id', filters.runId)
  if (filters.parentJobId !== undefined) return byColumn(input, 'parent_job_id', filters.parentJobId)
  if (filters.status && (await isRareStatus(target, filters.status))) return byStatus(input, filters.status)
  if (filters.name && (await isRareName(target, input))) return byName(input)
  if (filters.labels?.length) return byLabel(input, filters.labels[0]!)
  if (filters.pipe !== undefined) return byColumn(input, 'pipe', filters.pipe)
  if (filters.dataSource !== undefined) return byColumn(input, 'data_source', filters.dataSource)
  if (filters.workflowId !== undefined) return byColumn(input, 'workflow_id', filters.workflowId)
  if (filters.queue !== undefined && filters.queue !== 'default')
    return byColumn(input, 'queue', filters.queue, `queue <> 'default'`)
  if (filters.kind && !filters.kind.includes('command'))
    return union([...new Set(filters.kind)].map(kind => byColumn(input, 'kind', kind, `kind <> 'command'`)))
  return byColumn(input, 'workspace', input.workspace)
}

/** `condition` is the predicate of a partial index, which is used only if the query repeats it. */
const byColumn = (
  { workspace }: ScanInput,
  column: string,
  value: string,
  condition = `${column} IS NOT NULL`,
): Scan => ({
  finds: 'jobs',
  write: (parameters, { below, limit }) => `
    SELECT j.* FROM millrace.job AS j
    WHERE j.workspace = ${parameters.add(workspace)} AND j.${column} = ${parameters.add(storable(value))}
      AND j.${condition} AND j.sequence < ${below}
    ORDER BY j.sequence DESC LIMIT ${limit}`,
})

const STATUS_TABLES: Readonly<Record<string, string>> = {
  pending: `live WHERE status = 'pending'`,
  queued: `live WHERE status = 'queued'`,
  running: `live WHERE status IN ('running', 'cancelling')`,
  cancelling: `live WHERE status IN ('running', 'cancelling')`,
  failed: `ended WHERE status IN ('failed', 'cancelled')`,
  cancelled: `ended WHERE status IN ('failed', 'cancelled')`,
}

/** Queued jobs have no index in list order: few can be sorted; among many, the newest are found quickly by scanning. */
const MOST_SORTED_QUEUED = 5000

const COUNT_QUEUED: Statement = {
  name: 'count_some_queued',
  text: `
    SELECT count(*) AS count
    FROM (SELECT FROM millrace.live WHERE status = 'queued' ORDER BY priority DESC, sequence LIMIT $1) AS found`,
}

const isRareStatus = async (target: Queryable, statuses: readonly JobStatus[]): Promise<boolean> => {
  if (statuses.includes('completed')) return false
  if (!statuses.includes('queued')) return true
  const [row] = await target.query<{ count: number }>(COUNT_QUEUED, [MOST_SORTED_QUEUED + 1])
  return row!.count <= MOST_SORTED_QUEUED
}

const byStatus = ({ workspace }: ScanInput, statuses: readonly JobStatus[]): Scan =>
  union(
    [...new Set(statuses)].map(status => ({
      finds: 'ids',
      write: (parameters, { below, limit }) => `
        SELECT id, sequence FROM millrace.${STATUS_TABLES[status]}
          AND status = ${parameters.add(status)} AND workspace = ${parameters.add(workspace)} AND sequence < ${below}
        ORDER BY sequence DESC LIMIT ${limit}`,
    })),
  )

const byLabel = ({ workspace }: ScanInput, label: { readonly key: string; readonly value: string }): Scan => ({
  finds: 'ids',
  write: (parameters, { below, limit }) => `
      SELECT job_id AS id, sequence FROM millrace.job_label
      WHERE workspace = ${parameters.add(workspace)} AND key = ${parameters.add(storable(label.key))}
        AND value = ${parameters.add(storable(label.value))} AND sequence < ${below}
      ORDER BY sequence DESC LIMIT ${limit}`,
})

const byName = ({ workspace, filters }: ScanInput): Scan => ({
  finds: 'jobs',
  write: (parameters, { below, limit }) => `
    SELECT j.* FROM millrace.job AS j
    WHERE j.workspace = ${parameters.add(workspace)} AND j.name IS NOT NULL AND j.sequence < ${below}
      AND ${nameConditions(filters.name, parameters).join(' AND ')}
    ORDER BY j.sequence DESC LIMIT ${limit}`,
})

/** Names are not indexed in list order: few can be sorted; among many, the newest are found quickly by scanning. */
const MOST_SORTED_NAMES = 1000

const isRareName = async (target: Queryable, { workspace, filters }: ScanInput): Promise<boolean> => {
  const parameters = new Parameters()
  const text = `
    SELECT count(*) AS count FROM (
      SELECT FROM millrace.job AS j
      WHERE j.workspace = ${parameters.add(workspace)} AND j.name IS NOT NULL
        AND ${nameConditions(filters.name, parameters).join(' AND ')}
      LIMIT ${MOST_SORTED_NAMES + 1}
    ) AS found`
  const [row] = await target.query<{ count: number }>({ name: '', text }, parameters.values)
  return row!.count <= MOST_SORTED_NAMES
}

/** Combines scans that find the same kind of row. */
const union = (scans: readonly Scan[]): Scan => {
  const [first] = scans
  if (scans.length === 1) return first!
  return {
    finds: first!.finds,
    write: (parameters, range) => `
    SELECT * FROM (${scans.map(scan => `(${scan.write(parameters, range)})`).join(' UNION ALL ')}) AS branches
    ORDER BY sequence DESC LIMIT ${range.limit}`,
  }
}
