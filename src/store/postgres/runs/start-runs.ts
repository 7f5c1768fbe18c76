import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import { tellRuns } from './tell-runs.ts'

/** Requires the locks of the runs and their workflows: the items wait for slots from now on. */
const START_RUNS: Statement = {
  name: 'start_runs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    started AS (
      UPDATE millrace.run
      SET phase = 'running', status_reason = NULL, due_at = NULL, started_at = clock.now
      FROM clock
      WHERE run.id = ANY ($2::text[]) AND run.phase = 'pending' AND NOT run.paused AND run.end_reason IS NULL
      RETURNING run.id, run.workflow_id
    ),
    waiting AS (
      UPDATE millrace.live
      SET status_reason = 'run_concurrency'
      WHERE live.item_of = ANY (ARRAY(SELECT id FROM started)) AND live.status = 'pending'
        AND live.status_reason = 'run_pending'
    ),
    newest AS (
      UPDATE millrace.workflow
      SET last_run_at = clock.now
      FROM clock
      WHERE workflow.id = ANY (ARRAY(SELECT workflow_id FROM started))
    )
    SELECT id FROM started`,
}

/** Starts those of these pending runs that may start. Returns how many. The caller settles. */
export const startRuns = async (work: Work, runIds: readonly string[]): Promise<number> => {
  if (runIds.length === 0) return 0
  const started = await work.connection.query<{ id: string }>(START_RUNS, [work.now, runIds])
  for (const { id } of started) work.touched.runs.note(id)
  await tellRuns(
    work,
    started.map(run => run.id),
  )
  return started.length
}

/** The run that waits for others of its workflow, if no earlier one is still running. */
const FIND_WAITING: Statement = {
  name: 'find_waiting_runs',
  text: `
    SELECT run.id
    FROM millrace.workflow
    JOIN millrace.run ON run.workflow_id = workflow.id AND run.phase IN ('pending', 'running')
    WHERE workflow.id = ANY ($1::text[]) AND workflow.state = 'active'
      AND run.phase = 'pending' AND run.status_reason = 'waiting_for_run' AND NOT run.paused
      AND NOT EXISTS (
        SELECT FROM millrace.run AS earlier
        WHERE earlier.workflow_id = workflow.id AND earlier.phase IN ('pending', 'running')
          AND earlier.phase = 'running' AND earlier.position < run.position
      )`,
}

/** Requires the locks of the workflows. The caller settles. */
export const startWaitingRuns = async (work: Work, workflowIds: readonly string[]): Promise<void> => {
  const waiting = await work.connection.query<{ id: string }>(FIND_WAITING, [workflowIds])
  const runs = waiting.map(run => run.id)
  work.locks.need({ runs })
  await startRuns(work, runs)
}
