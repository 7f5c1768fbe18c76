import type { RunEvent, RunStatus } from '../../../model/workflow.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import { STATUS_COLUMN } from './run-rows.ts'

const READ_STATUSES: Statement = {
  name: 'read_run_statuses',
  text: `
    SELECT run.id AS "runId", run.workflow_id AS "workflowId", run.workspace, ${STATUS_COLUMN} AS status,
      run.status_reason AS "statusReason", millrace.clock($1::bigint) AS timestamp
    FROM millrace.run
    WHERE run.id = ANY ($2::text[])
    ORDER BY run.position`,
}

/** Reports the current state of runs; with `only`, only of runs in these states. */
export const tellRuns = async (
  { connection, effects, now }: Work,
  runIds: readonly string[],
  only?: readonly RunStatus[],
): Promise<void> => {
  if (runIds.length === 0) return
  const rows = await connection.query<RunEvent>(READ_STATUSES, [now, runIds])
  effects.runs.push(...rows.filter(row => only?.includes(row.status) ?? true))
}
