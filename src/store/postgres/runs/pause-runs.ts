import type { Statement } from '../database.ts'
import type { WorkspaceKey } from '../jobs/exclusive-keys.ts'
import type { EventRow } from '../jobs/job-rows.ts'
import type { Work } from '../locks.ts'
import { tellRuns } from './tell-runs.ts'

const PAUSE: Statement = {
  name: 'pause_runs',
  text: `
    UPDATE millrace.run
    SET paused = true
    WHERE id = ANY ($1::text[]) AND phase IN ('pending', 'running') AND NOT paused AND end_reason IS NULL
    RETURNING id`,
}

const FIND_KEYS: Statement = {
  name: 'find_keys_of_queued_items',
  text: `
    SELECT DISTINCT workspace, exclusive_key AS "exclusiveKey"
    FROM millrace.live
    WHERE item_of = ANY ($1::text[]) AND status IN ('queued', 'running', 'cancelling') AND status = 'queued'
      AND exclusive_key IS NOT NULL AND NOT published`,
}

/**
 * Checks the status again, so a job claimed at the same moment keeps running. Pending items with a due time keep it and are held once it passes;
 * items of a run that has not started wait for its start. Published jobs are left to finish their publication.
 */
const HOLD: Statement = {
  name: 'hold_items',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    waiting AS (
      UPDATE millrace.live
      SET status_reason = 'run_paused'
      WHERE item_of = ANY ($2::text[]) AND status = 'pending' AND status_reason IN ('run_concurrency', 'exclusive_key')
    )
    UPDATE millrace.live
    SET status = 'pending', status_reason = 'run_paused', updated_at = clock.now
    FROM clock
    WHERE live.item_of = ANY ($2::text[]) AND live.status IN ('queued', 'running', 'cancelling') AND live.status = 'queued'
      AND NOT live.published
    RETURNING live.id, live.workspace, live.kind, live.run_id, live.workflow_id, live.parent_job_id, live.status,
      live.status_reason, clock.now`,
}

/** Requires the locks of the runs. Returns those that were not paused before. The caller settles. */
export const pauseRuns = async (work: Work, runIds: readonly string[]): Promise<readonly string[]> => {
  const { connection, locks, effects, touched, now } = work
  const paused = await connection.query<{ id: string }>(PAUSE, [runIds])
  if (paused.length === 0) return []
  const ids = paused.map(run => run.id)
  const keys = await connection.query<WorkspaceKey>(FIND_KEYS, [ids])
  locks.need({ keys })
  effects.jobs.push(...(await connection.query<EventRow>(HOLD, [now, ids])))
  await tellRuns(work, ids)
  touched.freed(keys)
  return ids
}

const RESUME: Statement = {
  name: 'resume_runs',
  text: `
    WITH resumed AS (
      UPDATE millrace.run
      SET paused = false
      WHERE id = ANY ($1::text[]) AND phase IN ('pending', 'running') AND paused
      RETURNING id, workflow_id, phase
    ),
    waiting AS (
      UPDATE millrace.live
      SET status_reason = 'run_concurrency'
      WHERE item_of = ANY (ARRAY(SELECT id FROM resumed)) AND status = 'pending' AND status_reason = 'run_paused'
    )
    SELECT * FROM resumed`,
}

/** Requires the locks of the runs. Held items wait for slots again. Returns the runs that were paused before. The caller settles. */
export const resumeRuns = async (
  work: Work,
  runIds: readonly string[],
): Promise<readonly { readonly id: string; readonly workflowId: string; readonly isPending: boolean }[]> => {
  type Row = { id: string; workflow_id: string; phase: string }
  const resumed = await work.connection.query<Row>(RESUME, [runIds])
  for (const { id } of resumed) work.touched.runs.note(id)
  await tellRuns(
    work,
    resumed.map(run => run.id),
  )
  const runs = resumed.map(run => ({ id: run.id, workflowId: run.workflow_id, isPending: run.phase === 'pending' }))
  // Its time may have passed meanwhile.
  if (runs.some(run => run.isPending)) work.effects.schedule = true
  return runs
}
