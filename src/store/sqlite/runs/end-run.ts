import { runFailed, workflowTerminated } from '../../../model/notification-text.ts'
import type { EndedRunStatus, RunReason } from '../../../model/workflow.ts'
import { notify } from '../sinks/notifications.ts'
import { findWorkflow, type WorkflowState } from '../workflows/workflow-state.ts'
import type { Writer } from '../writer.ts'
import type { RunState } from './run.ts'
import { tellRun } from './run.ts'
import { startWaitingRun } from './start-run.ts'
import { terminateOpenRuns } from './terminate-run.ts'

/** Call when the last item of a run has ended. */
export const endRun = (writer: Writer, run: RunState): void => {
  const { db, now } = writer
  const [phase, reason] = outcomeOf(run)
  db.run(
    'UPDATE run SET phase = ?, status_reason = ?, paused = 0, due_at = NULL, finished_at = ? WHERE seq = ?',
    phase,
    reason,
    now,
    run.seq,
  )
  tellRun(writer, run.seq)
  const workflow = findWorkflow(db, run.workflowId)
  if (phase === 'failed') notifyFailure(writer, run, workflow)
  if (!workflow) return
  countOutcome(writer, workflow, run, phase)
  startWaitingRun(writer, run.workflowId)
}

const outcomeOf = (run: RunState): [EndedRunStatus, RunReason | null] => {
  if (run.endReason !== null) return ['terminated', run.endReason]
  if (run.items > 0 && run.completed + run.failed === 0) return ['terminated', 'items_cancelled']
  return run.failed > 0 ? ['failed', 'items_failed'] : ['completed', null]
}

/** A terminated run does not count for the workflow, nor does a manual run created while the workflow was terminated. */
const countOutcome = (writer: Writer, workflow: WorkflowState, run: RunState, phase: EndedRunStatus): void => {
  if (phase === 'terminated' || !run.outcomeCounts) return
  const failures = phase === 'completed' ? 0 : workflow.consecutiveFailures + 1
  if (failures !== workflow.consecutiveFailures)
    writer.db.run('UPDATE workflow SET consecutive_failures = ? WHERE seq = ?', failures, workflow.seq)
  const limit = workflow.maxConsecutiveFailures
  if (limit !== null && failures >= limit && failures > 0 && workflow.state !== 'terminated')
    giveUp(writer, workflow, run, failures)
}

const giveUp = (writer: Writer, workflow: WorkflowState, run: RunState, failures: number): void => {
  const { db, now } = writer
  db.run("UPDATE workflow SET state = 'terminated', updated_at = ? WHERE seq = ?", now, workflow.seq)
  terminateOpenRuns(writer, workflow.id, { reason: 'workflow_terminated', graceMs: null })
  notify(writer, {
    workspace: workflow.workspace,
    ...workflowTerminated({ name: workflow.name, failures }),
    workflowId: workflow.id,
    runId: run.id,
    jobId: null,
  })
}

const notifyFailure = (writer: Writer, run: RunState, workflow: WorkflowState | undefined): void =>
  notify(writer, {
    workspace: run.workspace,
    ...runFailed({ workflowName: workflow?.name ?? null, failed: run.failed, items: run.items }),
    workflowId: run.workflowId,
    runId: run.id,
    jobId: null,
  })
