import type { SkipReason, Slot } from '../../../model/workflow.ts'
import type { Store } from '../../store.ts'
import type { Queryable } from '../database.ts'
import type { Parameters as QueryParameters } from '../filters.ts'
import { countRows, readPage } from '../page.ts'
import { findWorkflow } from './read-workflows.ts'

type SlotRow = {
  readonly position: number
  readonly last_slot: number
  readonly count: number
  readonly outcome: Slot['outcome']
  readonly reason: SkipReason | null
  readonly run_id: string | null
  readonly recorded_at: number
}

/** Implements `listSlots`. */
export const listSlots = async (
  target: Queryable,
  { workspace, workflow, limit, cursor }: Parameters<Store['listSlots']>[0],
): ReturnType<Store['listSlots']> => {
  const found = await findWorkflow(target, { workspace, workflow })
  if (!found) return null
  const input = { workspace, limit, cursor, filters: { list: 'slots', workflow: found.id } }
  const page = await readPage<SlotRow>(target, input, queryOf(found.id))
  return { slots: page.rows.map(toSlot), nextCursor: page.nextCursor }
}

/** Implements `countSlots`. */
export const countSlots = async (target: Queryable, input: Parameters<Store['countSlots']>[0]): Promise<number> => {
  const found = await findWorkflow(target, input)
  return found ? countRows(target, queryOf(found.id)) : 0
}

const queryOf = (workflowId: string) => (parameters: QueryParameters, below: string) =>
  `
    SELECT slot AS position, last_slot, count, outcome, reason, run_id, recorded_at
    FROM millrace.slot
    WHERE workflow_id = ${parameters.add(workflowId)} AND slot < ${below}`

const toSlot = (row: SlotRow): Slot => ({
  slot: row.position,
  lastSlot: row.last_slot,
  count: row.count,
  outcome: row.outcome,
  reason: row.reason,
  runId: row.run_id,
  recordedAt: row.recorded_at,
})
