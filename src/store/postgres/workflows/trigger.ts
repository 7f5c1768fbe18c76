import type { TriggerOutcome, TriggerWorkflow } from '../../workflow-store.ts'
import type { Statement } from '../database.ts'
import { KEEP_MS, keyColumns } from '../idempotency.ts'
import { type Work, withLocks } from '../locks.ts'
import { settle } from '../runs/settle.ts'
import type { Session } from '../session.ts'
import { insertRuns, keysOf } from './insert-runs.ts'
import { findWorkflow } from './read-workflows.ts'

/** Implements `triggerWorkflow`. */
export const triggerWorkflow = async (session: Session, input: TriggerWorkflow): Promise<TriggerOutcome> => {
  const { workspace, workflowId, run, maxQueued } = input
  await session.scopeSets.keep(run.items)
  const queued = await session.queueCounts.reserve(workspace, run.items.length, maxQueued)
  let outcome: TriggerOutcome | null = null
  try {
    const wanted = { keys: keysOf([{ run }]), workflows: [workflowId] }
    outcome = await withLocks(session, wanted, work => trigger(session, work, { input, queued }))
    return outcome
  } finally {
    if (queued === null && outcome?.type !== 'triggered') session.queueCounts.add(workspace, -run.items.length)
  }
}

const STARTED: Statement = {
  name: 'note_manual_run',
  text: 'UPDATE millrace.workflow SET last_run_at = millrace.clock($1::bigint) WHERE id = $2',
}

const CLOCK: Statement = { name: 'trigger_clock', text: 'SELECT millrace.clock($1::bigint) AS now' }

const trigger = async (
  session: Session,
  work: Work,
  { input, queued }: { input: TriggerWorkflow; queued: number | null },
): Promise<TriggerOutcome> => {
  const { workspace, workflowId, run, version, scheduledAt } = input
  const workflow = await findWorkflow(work.connection, { workspace, workflow: workflowId })
  if (!workflow) return { type: 'not_found' }
  if (workflow.state === 'paused') return { type: 'paused' }
  if (workflow.version !== version) return { type: 'changed' }
  if (queued !== null) return { type: 'too_many_queued', queued }
  const [clock] = await work.connection.query<{ now: number }>(CLOCK, [work.now])
  const waits = scheduledAt !== null && scheduledAt > clock!.now ? 'scheduled' : null
  if (waits === null) await work.connection.query(STARTED, [work.now, workflowId])
  const outcomeCounts = workflow.state !== 'terminated'
  await insertRuns(session, work, [
    { run, workspace, workflowId, trigger: 'manual', scheduledAt, waits, outcomeCounts },
  ])
  await settle(work)
  const status = waits === null ? 'running' : 'pending'
  const body = JSON.stringify({ run_id: run.id, status, ...input.answer })
  if (input.idempotency) await keepAnswer(work, input.idempotency, body)
  return { type: 'triggered', runId: run.id, status }
}

const KEEP: Statement = {
  name: 'keep_trigger_answer',
  text: `
    UPDATE millrace.idempotency
    SET status = 201, body = $6, submitted = NULL, expires_at = millrace.clock($1::bigint) + ${KEEP_MS}
    WHERE workspace = $2 AND method = $3 AND path = $4 AND key = $5`,
}

const keepAnswer = async (
  { connection, now }: Work,
  key: NonNullable<TriggerWorkflow['idempotency']>,
  body: string,
): Promise<void> => {
  await connection.query(KEEP, [now, ...keyColumns(key), body])
}
