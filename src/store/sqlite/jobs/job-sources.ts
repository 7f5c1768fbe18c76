import { KINDS } from '../../../model/kind.ts'
import type { JobFilters } from '../../store.ts'
import type { Database, SqlValue } from '../database.ts'
import type { SeqRange } from '../seq-range.ts'
import { startsWith } from './job-filters.ts'

/**
 * A stretch of an index that contains the positions of all jobs matching one filter, and perhaps others. `ordered`: it can be scanned by position,
 * newest first; otherwise it must be read whole and sorted, which is done only if it is short.
 */
type Stretch = {
  readonly from: string
  readonly where: string
  readonly values: readonly SqlValue[]
  readonly ordered: boolean
}

/** Stretches that together contain every job matching the filters. */
export type Source = readonly Stretch[]

/** Reads up to this many positions to compare sources; an unordered source is used only if it has fewer. */
const PROBE = 1000

/** The source with the fewest positions. The last candidate is the whole workspace, which every list can scan. */
export const chooseSource = (db: Database, workspace: string, filters: JobFilters, range: SeqRange): Source => {
  let best: { source: Source; size: number } | undefined
  for (const source of sourcesFor(workspace, filters)) {
    const size = source.reduce((sum, stretch) => sum + probe(db, stretch, range), 0)
    const usable = size < PROBE || source.every(stretch => stretch.ordered)
    if (usable && (best === undefined || size < best.size)) best = { source, size }
    if (best?.size === 0) break
  }
  return best!.source
}

/** The newest positions below `range.to`, newest first, at most `limit`. */
export const newestOf = (db: Database, source: Source, range: SeqRange, limit: number): number[] => {
  const stretches = source.map(stretch => {
    // An unordered stretch was chosen because it is short, so sorting it here is cheap.
    const sql = `SELECT seq FROM ${stretch.from} WHERE ${stretch.where} AND seq >= ? AND seq < ? ORDER BY seq DESC LIMIT ?`
    return db.all<[number]>(sql, ...stretch.values, range.from, range.to, limit).map(([seq]) => seq)
  })
  if (stretches.length === 1) return stretches[0]!
  return stretches
    .flat()
    .sort((a, b) => b - a)
    .slice(0, limit)
}

const probe = (db: Database, { from, where, values }: Stretch, range: SeqRange): number =>
  db.get<[number]>(
    `SELECT count(*) FROM (SELECT 1 FROM ${from} WHERE ${where} AND seq >= ? AND seq < ? LIMIT ${PROBE})`,
    ...values,
    range.from,
    range.to,
  )![0]

/** Candidates, usually shortest first. Conditions are spelled as in the partial indexes that serve them. */
const sourcesFor = (workspace: string, filters: JobFilters): Source[] => {
  const of = (from: string, where: string, ...values: SqlValue[]): Stretch => ({
    from,
    where: `workspace = ? AND ${where}`,
    values: [workspace, ...values],
    ordered: true,
  })
  const sources: (Source | undefined)[] = [
    filters.runId === undefined ? undefined : [of('job INDEXED BY job_run', 'run_id = ?', filters.runId)],
    filters.parentJobId === undefined
      ? undefined
      : [of('job INDEXED BY job_parent', 'parent_job_id = ?', filters.parentJobId)],
    filters.workflowId === undefined
      ? undefined
      : [of('job INDEXED BY job_workflow', 'workflow_id = ?', filters.workflowId)],
    filters.pipe === undefined ? undefined : [of('job INDEXED BY job_pipe', 'pipe = ?', filters.pipe)],
    filters.dataSource === undefined
      ? undefined
      : [of('job INDEXED BY job_data_source', 'data_source = ?', filters.dataSource)],
    ...(filters.labels ?? []).map(({ key, value }) => [of('job_label', 'key = ? AND value = ?', key, value)]),
    filters.status && statusSource(workspace, filters.status),
    filters.name ? [nameStretch(workspace, filters.name)] : undefined,
    filters.queue === undefined || filters.queue === 'default'
      ? undefined
      : [of('job INDEXED BY job_queue', "queue = ? AND queue <> 'default'", filters.queue)],
    filters.trigger === 'automatic' ? [of('job INDEXED BY job_automatic', "trigger = 'automatic'")] : undefined,
    [...new Set(filters.kind ?? KINDS)].map(kind => of('job INDEXED BY job_kind', 'kind = ?', kind)),
  ]
  return sources.filter(source => source !== undefined)
}

const nameStretch = (workspace: string, prefix: string): Stretch => {
  const { sql, values } = startsWith('name', prefix)
  return {
    from: 'job INDEXED BY job_name',
    where: `workspace = ? AND ${sql}`,
    values: [workspace, ...values],
    ordered: false,
  }
}

/** Where the jobs of each status are found. Most jobs are completed, and no index has those by status. */
const statusSource = (workspace: string, statuses: readonly string[]): Source | undefined => {
  const stretches: Stretch[] = []
  for (const status of new Set(statuses)) {
    if (status === 'completed') return undefined
    if (status === 'failed' || status === 'cancelled')
      stretches.push({
        from: 'ended INDEXED BY ended_badly',
        where: `workspace = ? AND status = ? AND status IN ('failed', 'cancelled')`,
        values: [workspace, status],
        ordered: true,
      })
    else stretches.push(liveStretch(workspace, status))
  }
  return stretches
}

const liveStretch = (workspace: string, status: string): Stretch => {
  if (status === 'pending')
    return {
      from: 'live INDEXED BY live_pending',
      where: `workspace = ? AND status = 'pending'`,
      values: [workspace],
      ordered: true,
    }
  if (status === 'queued')
    return {
      from: 'live INDEXED BY live_queue',
      where: `status = 'queued' AND workspace = ?`,
      values: [workspace],
      ordered: false,
    }
  return {
    from: 'live INDEXED BY live_held',
    where: `status IN ('running', 'cancelling') AND status = ? AND workspace = ?`,
    values: [status, workspace],
    ordered: false,
  }
}
