import type { Workflow } from '../../../model/workflow.ts'
import type { Timing } from '../../workflow-store.ts'
import { pauseOpenRun, resumePausedRun } from '../runs/pause-run.ts'
import { listOpenRuns } from '../runs/run.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import { startWaitingRun } from '../runs/start-run.ts'
import { terminateOpenRuns } from '../runs/terminate-run.ts'
import type { Writer } from '../writer.ts'
import { findOwnWorkflow, type WorkflowState } from './workflow-state.ts'
import { readWorkflow, SET_TIMING, timingValues } from './workflows.ts'

type Which = { readonly workspace: string; readonly workflow: string }

export const pauseWorkflow = (
  writer: Writer,
  { workspace, workflow }: Which,
): Workflow | 'not_found' | 'terminated' => {
  const found = findOwnWorkflow(writer.db, workspace, workflow)
  if (!found) return 'not_found'
  if (found.state === 'terminated') return 'terminated'
  if (found.state === 'active') {
    setState(writer, found, 'paused')
    for (const run of listOpenRuns(writer.db, found.id)) pauseOpenRun(writer, run)
    settleRuns(writer)
  }
  return readWorkflow(writer.db, found.seq)
}

export const resumeWorkflow = (
  writer: Writer,
  { workspace, workflow, timing }: Which & { readonly timing: Timing },
): Workflow | 'not_found' => {
  const found = findOwnWorkflow(writer.db, workspace, workflow)
  if (!found) return 'not_found'
  if (found.state !== 'active') {
    setState(writer, found, 'active')
    if (found.state === 'terminated') beginAnew(writer, found, timing)
    for (const run of listOpenRuns(writer.db, found.id)) resumePausedRun(writer, run)
    // The run it was waiting for may have ended while the workflow was paused.
    startWaitingRun(writer, found.id)
    settleRuns(writer)
    writer.effects.hint('schedule')
  }
  return readWorkflow(writer.db, found.seq)
}

const beginAnew = ({ db }: Writer, { seq }: WorkflowState, timing: Timing): void => {
  db.run('UPDATE workflow SET consecutive_failures = 0 WHERE seq = ?', seq)
  db.run(SET_TIMING, ...timingValues(timing), seq)
}

export const terminateWorkflow = (
  writer: Writer,
  { workspace, workflow, graceMs }: Which & { readonly graceMs: number | null },
): Workflow | 'not_found' => {
  const found = findOwnWorkflow(writer.db, workspace, workflow)
  if (!found) return 'not_found'
  if (found.state !== 'terminated') {
    setState(writer, found, 'terminated')
    terminateOpenRuns(writer, found.id, { reason: 'workflow_terminated', graceMs })
    settleRuns(writer)
  }
  return readWorkflow(writer.db, found.seq)
}

const setState = ({ db, now }: Writer, { seq }: WorkflowState, state: 'active' | 'paused' | 'terminated'): void => {
  db.run('UPDATE workflow SET state = ?, updated_at = ? WHERE seq = ?', state, now, seq)
}
