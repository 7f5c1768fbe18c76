import type { Queryable, Statement } from '../database.ts'

/** What is summed by hour: counts use bucket 0, durations the buckets of `model/histogram.ts`. */
export type Measure =
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'log_lines'
  | 'wait'
  | 'run'
  | 'lateness'
  | 'slots_fired'
  | 'slots_skipped'

export type Sum = {
  readonly workspace: string
  readonly hour: number
  /** null: jobs without a workflow. */
  readonly workflowId: string | null
  readonly measure: Measure
  readonly bucket: number
  readonly amount: number
}

const HOUR_MS = 3_600_000

/** Start of the hour that contains `time`. */
export const hourOf = (time: number): number => Math.floor(time / HOUR_MS) * HOUR_MS

/** Adds in a fixed order, so that concurrent writers of the same sums wait for each other instead of deadlocking. */
const ADD: Statement = {
  name: 'add_sums',
  text: `
    INSERT INTO millrace.hour_sum AS s (workspace, hour, workflow_id, measure, bucket, amount)
    SELECT workspace, hour, workflow_id, measure, bucket, sum(amount)
    FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::bigint[])
      AS i (workspace, hour, workflow_id, measure, bucket, amount)
    GROUP BY workspace, hour, workflow_id, measure, bucket
    ORDER BY workspace COLLATE "C", hour, workflow_id COLLATE "C", measure COLLATE "C", bucket
    ON CONFLICT (workspace, hour, workflow_id, measure, bucket) DO UPDATE SET amount = s.amount + excluded.amount`,
}

export const addSums = async (connection: Queryable, sums: readonly Sum[]): Promise<void> => {
  if (sums.length === 0) return
  await connection.query(ADD, [
    sums.map(sum => sum.workspace),
    sums.map(sum => sum.hour),
    sums.map(sum => sum.workflowId ?? ''),
    sums.map(sum => sum.measure),
    sums.map(sum => sum.bucket),
    sums.map(sum => sum.amount),
  ])
}
