import type { WorkflowState as State } from '../../../model/workflow.ts'
import type { Database } from '../database.ts'

/** A row of `workflow` with the fields needed to change its state. */
export type WorkflowState = {
  readonly seq: number
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly state: State
  readonly version: number
  readonly consecutiveFailures: number
  readonly maxConsecutiveFailures: number | null
  readonly cursor: number
  readonly nextSlot: number | null
  /** When `nextSlot` fires, including its jitter. */
  readonly fireAt: number | null
}

const STATE_SQL = `SELECT seq, id, workspace, name, state, version, consecutive_failures, max_consecutive_failures, cursor,
  next_slot, fire_at
  FROM workflow`

export const findWorkflow = (db: Database, id: string): WorkflowState | undefined =>
  decode(db.get(`${STATE_SQL} WHERE id = ?`, id))

/** By id or name; no name looks like an id. */
export const findOwnWorkflow = (db: Database, workspace: string, workflow: string): WorkflowState | undefined =>
  decode(db.get(`${STATE_SQL} WHERE id = ? AND workspace = ?`, workflow, workspace)) ??
  decode(db.get(`${STATE_SQL} WHERE workspace = ? AND name = ?`, workspace, workflow))

const decode = (row: readonly unknown[] | undefined): WorkflowState | undefined => {
  if (!row) return undefined
  const [seq, id, workspace, name, state, version, consecutiveFailures, maxConsecutiveFailures, ...timing] = row
  const [cursor, nextSlot, fireAt] = timing
  return {
    seq,
    id,
    workspace,
    name,
    state,
    version,
    consecutiveFailures,
    maxConsecutiveFailures,
    cursor,
    nextSlot,
    fireAt,
  } as WorkflowState
}
