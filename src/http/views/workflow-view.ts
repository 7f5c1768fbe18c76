import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import type { Slot, Workflow } from '../../model/workflow.ts'

type Definition = Readonly<Record<string, unknown>> & { readonly payload?: readonly unknown[] }

/** The API's view of a workflow: its definition and its current state. Secrets are `"***"` in the stored text. */
export const viewWorkflow = (workflow: Workflow) => {
  const definition = JSON.parse(workflow.definition) as Definition
  return {
    ...definition,
    workflow_id: workflow.id,
    name: workflow.name,
    state: workflow.state,
    version: workflow.version,
    consecutive_failures: workflow.consecutiveFailures,
    max_consecutive_failures: workflow.maxConsecutiveFailures,
    items: definition.payload?.length ?? 0,
    next_run_at: nullableTimestamp(workflow.nextRunAt),
    last_run_at: nullableTimestamp(workflow.lastRunAt),
    created_at: toTimestamp(workflow.createdAt),
    updated_at: toTimestamp(workflow.updatedAt),
  }
}

/** In a list: without the payload, because a page could hold gigabytes of them. */
export const viewListedWorkflow = (workflow: Workflow) => {
  const { payload, ...rest } = viewWorkflow(workflow)
  return rest
}

/** The API's view of a past slot, or of several that were skipped for the same reason. */
export const viewSlot = (slot: Slot) => ({
  slot: toTimestamp(slot.slot),
  last_slot: toTimestamp(slot.lastSlot),
  count: slot.count,
  outcome: slot.outcome,
  reason: slot.reason,
  run_id: slot.runId,
  recorded_at: toTimestamp(slot.recordedAt),
})
