import type { Trigger } from '../../../model/trigger.ts'
import type { EndedRunStatus, RunReason, RunStatus } from '../../../model/workflow.ts'
import type { Database } from '../database.ts'
import type { Writer } from '../writer.ts'
import type { RunChange } from './run-changes.ts'

/** A row of `run` with the fields needed to change its state. */
export type RunState = {
  readonly seq: number
  readonly id: string
  readonly workspace: string
  readonly workflowId: string
  readonly trigger: Trigger
  readonly phase: 'pending' | 'running' | EndedRunStatus
  readonly paused: boolean
  readonly reason: RunReason | null
  /** Why it is being terminated; null if it is not. */
  readonly endReason: RunReason | null
  readonly maxConcurrent: number
  /** Whether its outcome changes the workflow's failure counter. */
  readonly outcomeCounts: boolean
  readonly items: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
}

const STATE_COLUMNS = `seq, id, workspace, workflow_id, trigger, phase, paused, status_reason, end_reason, max_concurrent,
  outcome_counts, items, completed, failed, cancelled`
const STATE_SQL = `SELECT ${STATE_COLUMNS} FROM run`

export const readRun = (db: Database, seq: number): RunState | undefined =>
  decode(db.get(`${STATE_SQL} WHERE seq = ?`, seq))

const COUNT_SQL = `UPDATE run SET completed = completed + ?, failed = failed + ?, cancelled = cancelled + ? WHERE seq = ?
  RETURNING ${STATE_COLUMNS}`

/** Adds ended items to the run's counters and returns the resulting state. */
export const countEnded = (
  db: Database,
  seq: number,
  { completed, failed, cancelled }: RunChange,
): RunState | undefined => decode(db.get(COUNT_SQL, completed, failed, cancelled, seq))

export const findRun = (db: Database, workspace: string, runId: string): RunState | undefined =>
  decode(db.get(`${STATE_SQL} WHERE id = ? AND workspace = ?`, runId, workspace))

/** Runs that have not ended, in creation order. */
export const listOpenRuns = (db: Database, workflowId: string): RunState[] =>
  db
    .all(`${STATE_SQL} WHERE workflow_id = ? AND phase IN ('pending', 'running') ORDER BY seq`, workflowId)
    .map(row => decode(row)!)

const decode = (row: readonly unknown[] | undefined): RunState | undefined => {
  if (!row) return undefined
  const [seq, id, workspace, workflowId, trigger, phase, paused, reason, endReason, maxConcurrent, ...counts] = row
  const [outcomeCounts, items, completed, failed, cancelled] = counts
  return {
    seq,
    id,
    workspace,
    workflowId,
    trigger,
    phase,
    paused: paused === 1,
    reason,
    endReason,
    maxConcurrent,
    outcomeCounts: outcomeCounts === 1,
    items,
    completed,
    failed,
    cancelled,
  } as RunState
}

export const isOpen = (run: RunState): boolean => run.phase === 'pending' || run.phase === 'running'

/** How many items hold one of the run's slots: counted rather than stored, so it cannot leak. */
export const countSlots = (db: Database, runSeq: number): number =>
  db.get<[number]>(
    "SELECT count(*) FROM live WHERE run = ? AND status IN ('queued', 'running', 'cancelling')",
    runSeq,
  )![0]

/** Whether any of its items is still live. */
export const hasItems = (db: Database, runSeq: number): boolean =>
  db.get('SELECT 1 FROM live WHERE run = ? LIMIT 1', runSeq) !== undefined

/** Whether a worker holds one of its items. */
const hasRunningItems = (db: Database, runSeq: number): boolean =>
  db.get("SELECT 1 FROM live WHERE run = ? AND status IN ('running', 'cancelling') LIMIT 1", runSeq) !== undefined

/** The status shown to users. */
export const statusOf = (db: Database, run: RunState): RunStatus => {
  if (!run.paused || !isOpen(run)) return run.phase
  return hasRunningItems(db, run.seq) ? 'pausing' : 'paused'
}

/** Emits the run's current status. */
export const tellRun = ({ db, now, effects }: Writer, runSeq: number): void => {
  const run = readRun(db, runSeq)!
  effects.runEvent({
    runId: run.id,
    workflowId: run.workflowId,
    workspace: run.workspace,
    status: statusOf(db, run),
    statusReason: run.reason,
    timestamp: now,
  })
}
