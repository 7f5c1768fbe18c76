import type { SkipReason } from '../../../model/workflow.ts'
import type { DueWorkflow, FireResult, WorkflowFire } from '../../workflow-store.ts'
import { sumSlots } from '../analytics/sums.ts'
import { countWaiting } from '../jobs/waiting.ts'
import type { Reader } from '../reader.ts'
import { insertRun, type NewRunRows } from '../runs/insert-run.ts'
import { listOpenRuns, type RunState } from '../runs/run.ts'
import { RunChanges } from '../runs/run-changes.ts'
import { settleRuns } from '../runs/settle-runs.ts'
import { beginTermination } from '../runs/terminate-run.ts'
import type { Writer } from '../writer.ts'
import { isRecorded, recordFired, recordReplaced, recordSkipped } from './slots.ts'
import { findWorkflow, type WorkflowState } from './workflow-state.ts'
import { SET_TIMING, timingOf, timingValues } from './workflows.ts'

type DueRow = [
  id: string,
  workspace: string,
  version: number,
  state: DueWorkflow['state'],
  cursor: number,
  nextSlot: number,
  fireAt: number,
]

export const listDueWorkflows = ({ db, now }: Reader, { limit }: { limit: number }) => {
  const rows = db.all<DueRow>(
    `SELECT id, workspace, version, state, cursor, next_slot, fire_at FROM workflow INDEXED BY workflow_due
     WHERE fire_at IS NOT NULL AND state <> 'terminated' ORDER BY fire_at, seq LIMIT ?`,
    limit + 1,
  )
  const due = rows.slice(0, limit).filter(([, , , , , , fireAt]) => fireAt <= now)
  const next = rows[due.length]
  return {
    due: due.map(
      ([id, workspace, version, state, cursor, nextSlot, fireAt]): DueWorkflow => ({
        id,
        workspace,
        version,
        state,
        timing: timingOf(cursor, nextSlot, fireAt),
      }),
    ),
    now,
    nextFireInMs: next ? Math.max(0, next[6] - now) : null,
  }
}

export type FireRows = Omit<WorkflowFire, 'run'> & { readonly run: NewRunRows | null }

export const fireWorkflows = (writer: Writer, fires: readonly FireRows[]): FireResult[] =>
  fires.map(fire => fireInSavepoint(writer, fire))

const SQLITE_CONSTRAINT = 19

/**
 * A fire that the tables refuse (for example because an id exists) would be refused forever and block the others of its batch. Its slot is recorded
 * as invalid and the schedule continues.
 */
const fireInSavepoint = (writer: Writer, fire: FireRows): FireResult => {
  const { db, memory, effects } = writer
  const mark = effects.mark()
  db.run('SAVEPOINT fire')
  try {
    const result = fireWorkflow(writer, fire)
    db.run('RELEASE fire')
    return result
  } catch (error) {
    const { errcode } = error as { errcode?: number }
    if (errcode === undefined || (errcode & 0xff) !== SQLITE_CONSTRAINT || fire.run === null || !db.isTransaction)
      throw error
    db.run('ROLLBACK TO fire')
    db.run('RELEASE fire')
    effects.rewind(mark)
    memory.scopeSets.clear()
    memory.sumMark = null
    return fireWorkflow({ ...writer, runs: new RunChanges() }, { ...fire, run: null })
  }
}

const fireWorkflow = (writer: Writer, fire: FireRows): FireResult => {
  const workflow = findWorkflow(writer.db, fire.workflowId)
  if (!workflow || !isAsSeen(workflow, fire)) return { type: 'lost' }
  const paused = workflow.state === 'paused'
  for (const skipped of fire.skipped)
    recordSkipped(writer, workflow.seq, paused ? { ...skipped, reason: 'paused' } : skipped)
  const result = paused ? skip(writer, workflow, fire.slot, 'paused') : fireSlot(writer, workflow, fire)
  writer.db.run(SET_TIMING, ...timingValues(fire.timing), workflow.seq)
  settleRuns(writer)
  sumFire(writer, workflow, fire, result)
  return result
}

const isAsSeen = (workflow: WorkflowState, fire: FireRows): boolean =>
  workflow.workspace === fire.workspace &&
  workflow.version === fire.version &&
  workflow.cursor === fire.cursor &&
  workflow.state !== 'terminated'

const fireSlot = (writer: Writer, workflow: WorkflowState, fire: FireRows): FireResult => {
  const { db } = writer
  const { slot, run, overlap, maxQueued } = fire
  if (slot === null || isRecorded(db, workflow.seq, slot)) return { type: 'skipped', reason: null }
  if (run === null) return skip(writer, workflow, slot, 'invalid')
  // Runs triggered for later have not begun.
  const open = overlap === 'allow' ? [] : listOpenRuns(db, workflow.id).filter(({ reason }) => reason !== 'scheduled')
  if (open.length > 0 && overlap === 'skip') return skip(writer, workflow, slot, 'overlap')
  if (overlap === 'queue_one' && open.some(({ phase }) => phase === 'pending'))
    return skip(writer, workflow, slot, 'overlap')
  if (countWaiting(db, workflow.workspace) + run.items.length > maxQueued)
    return skip(writer, workflow, slot, 'too_many_queued')
  const waits = overlap === 'cancel_previous' ? replaceRuns(writer, workflow, open) : open.length > 0
  const waitsFor = waits ? 'waiting_for_run' : null
  insertRun(writer, { workflow, run, trigger: 'automatic', scheduledAt: slot, waitsFor })
  recordFired(writer, workflow.seq, slot, run.id)
  return { type: waits ? 'waiting' : 'fired', runId: run.id }
}

const REPLACED = { reason: 'replaced', graceMs: null } as const

/** `cancel_previous`. Returns whether a replaced run is still running: the new run then waits for its end. */
const replaceRuns = (writer: Writer, workflow: WorkflowState, open: readonly RunState[]): boolean => {
  for (const run of open)
    if (beginTermination(writer, run, REPLACED) && run.phase === 'pending') skipLate(writer, workflow, run)
  settleRuns(writer)
  return listOpenRuns(writer.db, workflow.id).some(({ phase }) => phase === 'running')
}

/** The slot of a run that never started counts as skipped after all, in the hour it was recorded. */
const skipLate = (writer: Writer, { seq, id, workspace }: WorkflowState, run: RunState): void => {
  const at = recordReplaced(writer.db, seq, run)
  if (at !== null) sumSlots(writer.db, at, { workspace, workflowId: id, fired: -1, skipped: 1, lateness: null })
}

const skip = (writer: Writer, workflow: WorkflowState, slot: number | null, reason: SkipReason): FireResult => {
  if (slot !== null) recordSkipped(writer, workflow.seq, { first: slot, last: slot, count: 1, reason })
  return { type: 'skipped', reason }
}

const sumFire = (writer: Writer, workflow: WorkflowState, fire: FireRows, result: FireResult): void => {
  const before = fire.skipped.reduce((sum, { count }) => sum + count, 0)
  const fired = result.type === 'fired' || result.type === 'waiting'
  const skipped = before + (result.type === 'skipped' && result.reason !== null && fire.slot !== null ? 1 : 0)
  if (!fired && skipped === 0) return
  sumSlots(writer.db, writer.now, {
    workspace: workflow.workspace,
    workflowId: workflow.id,
    fired: fired ? 1 : 0,
    skipped,
    lateness: fired ? Math.max(0, writer.now - dueAt(workflow, fire.slot!)) : null,
  })
}

/** The due time with jitter is known only for the workflow's next slot; for a slot being caught up, use the slot itself. */
const dueAt = ({ nextSlot, fireAt }: WorkflowState, slot: number): number => (nextSlot === slot ? fireAt! : slot)
