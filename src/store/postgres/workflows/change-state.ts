import type { Workflow } from '../../../model/workflow.ts'
import type { Timing } from '../../workflow-store.ts'
import type { Statement } from '../database.ts'
import { type Work, withLocks } from '../locks.ts'
import { pauseRuns, resumeRuns } from '../runs/pause-runs.ts'
import { settle } from '../runs/settle.ts'
import { startWaitingRuns } from '../runs/start-runs.ts'
import { terminateRuns } from '../runs/terminate-runs.ts'
import type { Session } from '../session.ts'
import { findWorkflow, type WorkflowKey } from './read-workflows.ts'
import { timingValues, toWorkflow, type WorkflowRow } from './workflow-rows.ts'

const FIND_OPEN: Statement = {
  name: 'find_open_runs',
  text: `SELECT id FROM millrace.run WHERE workflow_id = $1 AND phase IN ('pending', 'running') ORDER BY position`,
}

type Query = Pick<Work['connection'], 'query'>

const findOpenRuns = async (target: Query, workflowId: string): Promise<readonly string[]> =>
  (await target.query<{ id: string }>(FIND_OPEN, [workflowId])).map(run => run.id)

/** Finds the workflow, locks it with its open runs, then reads it again before and after the change. */
const changeLocked = async <Refusal extends string = never>(
  session: Session,
  key: WorkflowKey,
  change: (work: Work, found: WorkflowRow, openRuns: readonly string[]) => Promise<Refusal | undefined>,
): Promise<Workflow | Refusal | 'not_found'> => {
  const found = await findWorkflow(session.database, key)
  if (!found) return 'not_found'
  const own = { ...key, workflow: found.id }
  const wanted = { runs: await findOpenRuns(session.database, found.id), workflows: [found.id] }
  return withLocks(session, wanted, async work => {
    const present = await findWorkflow(work.connection, own)
    if (!present) return 'not_found'
    const runs = await findOpenRuns(work.connection, found.id)
    work.locks.need({ runs })
    const refusal = await change(work, present, runs)
    await settle(work)
    return refusal ?? toWorkflow((await findWorkflow(work.connection, own))!)
  })
}

const SET_STATE: Statement = {
  name: 'set_workflow_state',
  text: `
    UPDATE millrace.workflow
    SET state = $3, updated_at = millrace.clock($1::bigint)
    WHERE id = $2`,
}

/** Implements `pauseWorkflow`. */
export const pauseWorkflow = (session: Session, key: WorkflowKey): Promise<Workflow | 'not_found' | 'terminated'> =>
  changeLocked<'terminated'>(session, key, async (work, workflow, runs) => {
    if (workflow.state === 'terminated') return 'terminated'
    if (workflow.state === 'paused') return undefined
    await work.connection.query(SET_STATE, [work.now, workflow.id, 'paused'])
    await pauseRuns(work, runs)
    return undefined
  })

const RESTART: Statement = {
  name: 'restart_workflow',
  text: `
    UPDATE millrace.workflow
    SET consecutive_failures = 0, cursor = $2, next_slot = $3, fire_at = $4
    WHERE id = $1`,
}

/** Implements `resumeWorkflow`. */
export const resumeWorkflow = (
  session: Session,
  { timing, ...key }: WorkflowKey & { timing: Timing },
): Promise<Workflow | 'not_found'> =>
  changeLocked<never>(session, key, async (work, { id, state }, runs) => {
    if (state === 'active') return undefined
    if (state === 'terminated') await work.connection.query(RESTART, [id, ...timingValues(timing)])
    await work.connection.query(SET_STATE, [work.now, id, 'active'])
    work.effects.schedule = true
    await resumeRuns(work, runs)
    await startWaitingRuns(work, [id])
    return undefined
  })

/** Implements `terminateWorkflow`. */
export const terminateWorkflow = (
  session: Session,
  { graceMs, ...key }: WorkflowKey & { graceMs: number | null },
): Promise<Workflow | 'not_found'> =>
  changeLocked<never>(session, key, async (work, { id, state }) => {
    if (state === 'terminated') return undefined
    await work.connection.query(SET_STATE, [work.now, id, 'terminated'])
    await terminateRuns(work, { workflows: [id], reason: 'workflow_terminated', graceMs })
    return undefined
  })
