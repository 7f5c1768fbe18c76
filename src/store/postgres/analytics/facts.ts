import { bucketOf } from '../../../model/histogram.ts'

/**
 * The smallest whole number of milliseconds in each bucket from 1 on. `width_bucket` over them gives exactly the same bucket as `bucketOf`, without
 * logarithms that may round differently.
 */
const BOUNDS: readonly number[] = (() => {
  const bounds: number[] = []
  const last = bucketOf(Number.MAX_SAFE_INTEGER)
  for (let bucket = 1; bucket <= last; bucket++) bounds.push(firstOf(bucket, bounds.at(-1) ?? 1))
  return bounds
})()

function firstOf(bucket: number, from: number): number {
  let below = from - 1
  let at = 2 * from + 1
  while (bucketOf(at) < bucket) at *= 2
  while (at - below > 1) {
    const middle = Math.floor((below + at) / 2)
    if (bucketOf(middle) < bucket) below = middle
    else at = middle
  }
  return at
}

/** The bucket of a duration, given as an SQL expression in whole milliseconds. A negative one (the clock was set back) counts as 0. */
export const bucketColumn = (duration: string): string =>
  `width_bucket(greatest(${duration}, 0), '{${BOUNDS.join()}}'::bigint[])`

/**
 * What ended jobs add to the sums: rows of (workspace, hour, workflow_id, measure, bucket, amount). `jobs` is a query of rows of `ended`. Durations
 * are those of the last attempt; a job that ended between attempts has none.
 */
export const factsOf = (jobs: string): string => `
      SELECT e.workspace, e.finished_at - e.finished_at % 3600000 AS hour, coalesce(j.workflow_id, '') AS workflow_id,
        fact.measure, fact.bucket, fact.amount
      FROM (${jobs}) AS e
      JOIN millrace.job AS j ON j.id = e.id
      CROSS JOIN LATERAL (
        VALUES
          (e.status, 0, 1::bigint),
          ('log_lines', 0, CASE WHEN e.has_log THEN (
            SELECT max(p.last_seq) FROM millrace.log_part AS p WHERE p.job_id = e.id) END),
          ('wait', ${bucketColumn('e.started_at - e.queued_at')}, CASE WHEN e.worker_id IS NOT NULL THEN 1 END),
          ('run', ${bucketColumn('e.finished_at - e.started_at')}, CASE WHEN e.worker_id IS NOT NULL THEN 1 END)
      ) AS fact (measure, bucket, amount)
      WHERE fact.amount IS NOT NULL AND fact.bucket IS NOT NULL`

/** Adds facts to the sums, in a fixed order (see `addSums`). */
export const addFacts = (jobs: string): string => `
      INSERT INTO millrace.hour_sum AS s (workspace, hour, workflow_id, measure, bucket, amount)
      SELECT workspace, hour, workflow_id, measure, bucket, sum(amount)
      FROM (${factsOf(jobs)}) AS facts
      GROUP BY workspace, hour, workflow_id, measure, bucket
      ORDER BY workspace, hour, workflow_id, measure COLLATE "C", bucket
      ON CONFLICT (workspace, hour, workflow_id, measure, bucket) DO UPDATE SET amount = s.amount + excluded.amount`
