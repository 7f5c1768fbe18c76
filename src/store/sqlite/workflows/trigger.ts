import type { TriggerOutcome, TriggerWorkflow } from '../../workflow-store.ts'
import { keepAnswer } from '../idempotency.ts'
import { countWaiting } from '../jobs/waiting.ts'
import { insertRun, type NewRunRows } from '../runs/insert-run.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import type { Writer } from '../writer.ts'
import { findWorkflow } from './workflow-state.ts'

export type TriggerRows = Omit<TriggerWorkflow, 'run'> & { readonly run: NewRunRows }

export const triggerWorkflow = (writer: Writer, input: TriggerRows): TriggerOutcome => {
  const { db, now, effects } = writer
  const { workspace, run, maxQueued, idempotency } = input
  const workflow = findWorkflow(db, input.workflowId)
  if (!workflow || workflow.workspace !== workspace) return { type: 'not_found' }
  if (workflow.version !== input.version) return { type: 'changed' }
  if (workflow.state === 'paused') return { type: 'paused' }
  const queued = countWaiting(db, workspace)
  if (queued + run.items.length > maxQueued) return { type: 'too_many_queued', queued }
  const waitsFor = input.scheduledAt !== null && input.scheduledAt > now ? 'scheduled' : null
  const status = insertRun(writer, { workflow, run, trigger: 'manual', scheduledAt: input.scheduledAt, waitsFor })
  settleRuns(writer)
  if (waitsFor) effects.hint('schedule')
  const body = JSON.stringify({ run_id: run.id, status, ...input.answer })
  if (idempotency) keepAnswer(writer, idempotency, { status: 201, body })
  return { type: 'triggered', runId: run.id, status }
}
