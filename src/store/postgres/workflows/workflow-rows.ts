import type { Workflow, WorkflowState } from '../../../model/workflow.ts'
import type { Timing } from '../../workflow-store.ts'

/** Columns of a workflow for reading, from `workflow`. */
export const WORKFLOW_COLUMNS = `
      workflow.position, workflow.id, workflow.workspace, workflow.name, workflow.state, workflow.version,
      workflow.definition, workflow.scopes, workflow.consecutive_failures, workflow.max_consecutive_failures,
      workflow.cursor, workflow.next_slot, workflow.fire_at, workflow.last_run_at, workflow.created_at,
      workflow.updated_at`

export type WorkflowRow = {
  readonly position: number
  readonly id: string
  readonly workspace: string
  readonly name: string
  readonly state: WorkflowState
  readonly version: number
  readonly definition: string
  readonly scopes: string
  readonly consecutive_failures: number
  readonly max_consecutive_failures: number | null
  readonly cursor: number
  readonly next_slot: number | null
  readonly fire_at: number | null
  readonly last_run_at: number | null
  readonly created_at: number
  readonly updated_at: number
}

export const toWorkflow = (row: WorkflowRow): Workflow => ({
  id: row.id,
  workspace: row.workspace,
  name: row.name,
  state: row.state,
  version: row.version,
  definition: row.definition,
  scopes: JSON.parse(row.scopes),
  consecutiveFailures: row.consecutive_failures,
  maxConsecutiveFailures: row.max_consecutive_failures,
  nextRunAt: row.state === 'active' ? row.fire_at : null,
  lastRunAt: row.last_run_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

export const toTiming = (row: Pick<WorkflowRow, 'cursor' | 'next_slot' | 'fire_at'>): Timing => ({
  cursor: row.cursor,
  next: row.next_slot === null ? null : { slot: row.next_slot, fireAt: row.fire_at! },
})

/** The columns `cursor`, `next_slot`, `fire_at`. */
export const timingValues = ({ cursor, next }: Timing): [number, number | null, number | null] => [
  cursor,
  next?.slot ?? null,
  next?.fireAt ?? null,
]
