import type { HourSums } from '../../analytics-store.ts'
import type { Store } from '../../store.ts'
import type { Queryable, Statement } from '../database.ts'
import type { Session } from '../session.ts'
import { hourOf, type Measure } from './add-sums.ts'
import { factsOf } from './facts.ts'

/** One statement, so one snapshot: a job is either below the mark or above it. */
const READ: Statement = {
  name: 'read_analytics',
  text: `
    SELECT hour, workflow_id, measure, bucket, sum(amount)::bigint AS amount
    FROM (
      SELECT hour, workflow_id, measure, bucket, amount
      FROM millrace.hour_sum
      WHERE workspace = $1 AND hour >= $2 AND hour < $4
      UNION ALL
      SELECT hour, workflow_id, measure, bucket, amount
      FROM (${factsOf(`
        SELECT ended.* FROM millrace.summed, millrace.ended
        WHERE ended.finished_at >= greatest(summed.finished_at, $3) AND ended.finished_at < $4
          AND (ended.finished_at, ended.id) > (summed.finished_at, summed.id) AND ended.workspace = $1`)}) AS facts
    ) AS sums
    WHERE $5::text IS NULL OR workflow_id = $5::text
    GROUP BY hour, workflow_id, measure, bucket
    ORDER BY hour, workflow_id`,
}

type SumRow = {
  readonly hour: number
  readonly workflow_id: string
  readonly measure: Measure
  readonly bucket: number
  readonly amount: number
}

/** Implements `readAnalytics`. */
export const readAnalytics = async (
  target: Queryable,
  { workspace, from, to, workflowId }: Parameters<Store['readAnalytics']>[0],
): Promise<readonly HourSums[]> => {
  const rows = await target.query<SumRow>(READ, [workspace, hourOf(from), from, to, workflowId ?? null])
  const groups = Map.groupBy(rows, row => `${row.hour} ${row.workflow_id}`)
  return [...groups.values()].map(toHourSums)
}

const toHourSums = (rows: readonly SumRow[]): HourSums => {
  const { hour, workflow_id } = rows[0]!
  const of = (measure: Measure) => rows.filter(row => row.measure === measure)
  const count = (measure: Measure) => of(measure)[0]?.amount ?? 0
  const histogram = (measure: Measure) => Object.fromEntries(of(measure).map(row => [row.bucket, row.amount]))
  return {
    hour,
    workflowId: workflow_id === '' ? null : workflow_id,
    completed: count('completed'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    logLines: count('log_lines'),
    wait: histogram('wait'),
    run: histogram('run'),
    lateness: histogram('lateness'),
    slotsFired: count('slots_fired'),
    slotsSkipped: count('slots_skipped'),
  }
}

const PURGE: Statement = {
  name: 'purge_sums',
  text: `
    DELETE FROM millrace.hour_sum
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM millrace.hour_sum WHERE hour < $1 ORDER BY hour LIMIT $2))
    RETURNING 1`,
}

/** Implements `purgeSums`. */
export const purgeSums = async (
  session: Session,
  { hourBefore, limit }: { hourBefore: number; limit: number },
): Promise<number> => (await session.database.query(PURGE, [hourBefore, limit])).length
