import { runFailed, workflowTerminated } from '../../../model/notification-text.ts'
import type { EndedRunStatus, RunReason, WorkflowState } from '../../../model/workflow.ts'
import type { Statement } from '../database.ts'
import type { Work } from '../locks.ts'
import { notify } from '../sinks/notify.ts'
import type { CountedRun } from './fill-slots.ts'
import { startWaitingRuns } from './start-runs.ts'
import { terminateRuns } from './terminate-runs.ts'

/** Requires the locks of the runs and their workflows. */
const END_RUNS: Statement = {
  name: 'end_runs',
  text: `
    WITH clock AS MATERIALIZED (SELECT millrace.clock($1::bigint) AS now),
    ends AS MATERIALIZED (
      SELECT id,
        CASE
          WHEN end_reason IS NOT NULL OR items > 0 AND completed + failed = 0 THEN 'terminated'
          WHEN failed > 0 THEN 'failed'
          ELSE 'completed'
        END AS phase,
        CASE
          WHEN end_reason IS NOT NULL THEN end_reason
          WHEN items > 0 AND completed + failed = 0 THEN 'items_cancelled'
          WHEN failed > 0 THEN 'items_failed'
        END AS reason
      FROM millrace.run
      WHERE id = ANY ($2::text[]) AND phase IN ('pending', 'running')
    )
    UPDATE millrace.run
    SET phase = ends.phase, status_reason = ends.reason, paused = false, due_at = NULL, finished_at = clock.now
    FROM clock, ends
    WHERE run.id = ends.id
    RETURNING run.position, run.id, run.workspace, run.workflow_id, run.phase, run.status_reason, run.items,
      run.failed, run.outcome_counts, clock.now`,
}

type EndedRow = {
  readonly position: number
  readonly id: string
  readonly workspace: string
  readonly workflow_id: string
  readonly phase: EndedRunStatus
  readonly status_reason: RunReason | null
  readonly items: number
  readonly failed: number
  readonly outcome_counts: boolean
  readonly now: number
}

/** Ends runs that have no items left, counts their outcome for the workflows, and starts runs waiting for them. */
export const endRuns = async (work: Work, runs: readonly CountedRun[]): Promise<void> => {
  const workflowIds = [...new Set(runs.map(run => run.workflowId))]
  await work.locks.needWorkflows(work.connection, workflowIds)
  const rows = await work.connection.query<EndedRow>(END_RUNS, [work.now, runs.map(run => run.id)])
  const ended = rows.toSorted((a, b) => a.position - b.position)
  for (const row of ended) work.effects.runs.push(toRunEvent(row))
  const workflows = await readWorkflows(work, workflowIds)
  const terminated = await countOutcomes(work, ended, workflows)
  if (terminated.length > 0)
    await terminateRuns(work, { workflows: terminated, reason: 'workflow_terminated', graceMs: null })
  await startWaitingRuns(work, [...workflows.keys()])
}

const toRunEvent = (row: EndedRow) => ({
  runId: row.id,
  workflowId: row.workflow_id,
  workspace: row.workspace,
  status: row.phase,
  statusReason: row.status_reason,
  timestamp: row.now,
})

const READ_WORKFLOWS: Statement = {
  name: 'read_workflow_failures',
  text: `
    SELECT id, name, state, consecutive_failures AS failures, max_consecutive_failures AS most_failures
    FROM millrace.workflow
    WHERE id = ANY ($1::text[])`,
}

type WorkflowRow = {
  readonly id: string
  readonly name: string
  state: WorkflowState
  failures: number
  readonly most_failures: number | null
}

const readWorkflows = async (
  { connection }: Work,
  ids: readonly string[],
): Promise<ReadonlyMap<string, WorkflowRow>> => {
  const rows = await connection.query<WorkflowRow>(READ_WORKFLOWS, [ids])
  return new Map(rows.map(row => [row.id, row]))
}

const SET_FAILURES: Statement = {
  name: 'set_workflow_failures',
  text: `
    UPDATE millrace.workflow
    SET consecutive_failures = w.failures, state = w.state,
      updated_at = CASE WHEN workflow.state = w.state THEN workflow.updated_at ELSE millrace.clock($1::bigint) END
    FROM unnest($2::text[], $3::integer[], $4::text[]) AS w (id, failures, state)
    WHERE workflow.id = w.id`,
}

/** Returns the workflows terminated by these outcomes. */
const countOutcomes = async (
  work: Work,
  ended: readonly EndedRow[],
  workflows: ReadonlyMap<string, WorkflowRow>,
): Promise<readonly string[]> => {
  const changed = new Set<WorkflowRow>()
  const terminated: string[] = []
  for (const run of ended) {
    const workflow = workflows.get(run.workflow_id)
    if (run.phase === 'failed') await notifyFailure(work, run, workflow)
    // A terminated run does not count for its workflow, nor does a manual run created while the workflow was terminated.
    if (!workflow || run.phase === 'terminated' || !run.outcome_counts) continue
    // Terminated by another run in this batch.
    if (workflow.state === 'terminated') continue
    const failures = run.phase === 'completed' ? 0 : workflow.failures + 1
    if (failures === workflow.failures) continue
    workflow.failures = failures
    changed.add(workflow)
    if (workflow.most_failures === null || failures < workflow.most_failures || failures === 0) continue
    workflow.state = 'terminated'
    terminated.push(workflow.id)
    await notifyTermination(work, run, workflow)
  }
  const rows = [...changed]
  const columns = [rows.map(row => row.id), rows.map(row => row.failures), rows.map(row => row.state)]
  if (rows.length > 0) await work.connection.query(SET_FAILURES, [work.now, ...columns])
  return terminated
}

const notifyFailure = (work: Work, run: EndedRow, workflow: WorkflowRow | undefined): Promise<void> =>
  notify(work, {
    ...runFailed({ workflowName: workflow?.name ?? null, failed: run.failed, items: run.items }),
    workspace: run.workspace,
    workflowId: run.workflow_id,
    runId: run.id,
    jobId: null,
  })

const notifyTermination = (work: Work, run: EndedRow, { id, name, failures }: WorkflowRow): Promise<void> =>
  notify(work, {
    ...workflowTerminated({ name, failures }),
    workspace: run.workspace,
    workflowId: id,
    runId: run.id,
    jobId: null,
  })
