import { createHash } from 'node:crypto'
import type { Trigger } from '../../../model/trigger.ts'
import type { RunStatus } from '../../../model/workflow.ts'
import type { NewRun } from '../../workflow-store.ts'
import type { Database } from '../database.ts'
import type { SubmittedJobRow } from '../jobs/job-row.ts'
import type { WorkflowState } from '../workflows/workflow-state.ts'
import type { Writer } from '../writer.ts'
import { insertStartingItems, insertWaitingItems } from './insert-items.ts'
import { tellRun } from './run.ts'

/** A run with its items encoded by `encodeJobs`. */
export type NewRunRows = Omit<NewRun, 'items'> & { readonly items: readonly SubmittedJobRow[] }

type RunBeginning = {
  readonly workflow: WorkflowState
  readonly run: NewRunRows
  readonly trigger: Trigger
  readonly scheduledAt: number | null
  /** Why it does not start at once; null: it does. */
  readonly waitsFor: 'scheduled' | 'waiting_for_run' | null
}

const INSERT_RUN = `INSERT INTO run (id, workspace, workflow_id, workflow_version, trigger, phase, status_reason, scheduled_at,
    due_at, created_at, started_at, max_concurrent, retry_of, snapshot, items, outcome_counts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`

/** Creates a run with its items, started or pending. The caller settles. */
export const insertRun = (writer: Writer, beginning: RunBeginning): RunStatus => {
  const { db, now } = writer
  const { workflow, run, trigger, scheduledAt, waitsFor } = beginning
  const phase = waitsFor === null ? 'running' : 'pending'
  const [seq] = db.get<[number]>(
    INSERT_RUN,
    run.id,
    workflow.workspace,
    workflow.id,
    run.workflowVersion,
    trigger,
    phase,
    waitsFor,
    scheduledAt,
    waitsFor === 'scheduled' ? scheduledAt : null,
    now,
    waitsFor === null ? now : null,
    run.maxConcurrent,
    run.retryOf,
    keepSnapshot(db, workflow.id, run.snapshot),
    run.items.length,
    // A manual run of a terminated workflow is only a trial: its outcome does not count.
    workflow.state === 'terminated' ? 0 : 1,
  )!
  const items = { workspace: workflow.workspace, run: seq, jobs: run.items, maxConcurrent: run.maxConcurrent }
  if (waitsFor === null) insertStartingItems(writer, items)
  else insertWaitingItems(writer, items, 'run_pending')
  if (waitsFor === null) db.run('UPDATE workflow SET last_run_at = ? WHERE seq = ?', now, workflow.seq)
  tellRun(writer, seq)
  // A run without items ends at once.
  if (run.items.length === 0) writer.runs.note(seq)
  return phase
}

/** Stores a definition once for all runs that share it. */
const keepSnapshot = (db: Database, workflowId: string, definition: string): number => {
  const sha256 = createHash('sha256').update(definition).digest()
  const known = db.get<[number]>('SELECT id FROM snapshot WHERE workflow_id = ? AND sha256 = ?', workflowId, sha256)
  if (known) return known[0]
  return db.get<[number]>(
    'INSERT INTO snapshot (sha256, workflow_id, definition) VALUES (?, ?, ?) RETURNING id',
    sha256,
    workflowId,
    definition,
  )![0]
}
