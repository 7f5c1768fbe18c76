import type { CancelReason } from '../../../model/job-status.ts'
import { arrayLiteral } from '../array-literal.ts'
import type { Statement } from '../database.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import { lockJobs, type Work } from '../locks.ts'

export type Cancel = { readonly reason: CancelReason; readonly graceMs: number | null }

/**
 * Runs on locked rows, so that all parts see the same status. A second cancel can only shorten the grace period. A job queued to finish its
 * publication is left alone.
 */
const CANCEL: Statement = {
  name: 'cancel_jobs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    gone AS (
      DELETE FROM millrace.live
      WHERE id = ANY ($2::uuid[]) AND status IN ('pending', 'queued') AND NOT published
      RETURNING live.*
    ),
    ended AS (
      INSERT INTO millrace.ended (
        id, sequence, finished_at, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        has_log, workspace, status, status_reason, signal, progress
      )
      SELECT id, sequence, clock.now, queued_at, started_at, attempt, user_failures, system_failures, exit_code,
        next_log_seq > 1, workspace, 'cancelled', $3::text, signal, progress
      FROM gone, clock
    ),
    stopping AS (
      UPDATE millrace.live
      SET status = 'cancelling', status_reason = $3::text, grace_ms = $4::bigint, updated_at = clock.now
      FROM clock
      WHERE live.id = ANY ($2::uuid[]) AND live.status = 'running'
      RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.item_of
    ),
    again AS (
      UPDATE millrace.live
      SET grace_ms = least($4::bigint, coalesce(live.grace_ms, (job.options::json ->> 'graceMs')::bigint))
      FROM millrace.job
      WHERE live.id = ANY ($2::uuid[]) AND live.status = 'cancelling' AND job.id = live.id AND $4::bigint IS NOT NULL
      RETURNING live.id
    )
    SELECT id, workspace, kind, run_id, workflow_id, parent_job_id, 'cancelled' AS status, $3::text AS status_reason,
      item_of, clock.now
    FROM gone, clock
    UNION ALL
    SELECT id, workspace, kind, run_id, workflow_id, parent_job_id, 'cancelling', $3::text, item_of, clock.now
    FROM stopping, clock
    UNION ALL
    SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, clock.now FROM again, clock`,
}

/** `item_of`: the run the job is an item of. */
export type CancelledRow = EventRow & { readonly item_of: string | null }

/** Requires the locks of the runs and keys. Returns the jobs whose status changed. The caller settles. */
export const cancelLocked = async (
  { connection, effects, touched, now }: Work,
  { ids, reason, graceMs }: { ids: readonly string[] } & Cancel,
): Promise<readonly CancelledRow[]> => {
  if (ids.length === 0) return []
  await lockJobs(connection, ids)
  const list = arrayLiteral(ids, id => id)
  const rows = await connection.query<CancelledRow>(CANCEL, [now, list, reason, graceMs])
  const changed = rows.filter(row => row.status !== null)
  effects.jobs.push(...changed)
  if (rows.some(row => row.status !== 'cancelled')) effects.cancel = true
  for (const { workspace, item_of, status } of changed) {
    if (status !== 'cancelled') continue
    effects.addWaiting(workspace, -1)
    if (item_of !== null) touched.runs.note(item_of, 'cancelled')
  }
  return changed
}
