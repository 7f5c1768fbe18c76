import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import type { Run } from '../../model/workflow.ts'

/** A run in a list. */
export const viewListedRun = (run: Run) => ({
  run_id: run.id,
  workflow_id: run.workflowId,
  workflow_version: run.workflowVersion,
  trigger: run.trigger,
  status: run.status,
  status_reason: run.statusReason,
  scheduled_at: nullableTimestamp(run.scheduledAt),
  created_at: toTimestamp(run.createdAt),
  started_at: nullableTimestamp(run.startedAt),
  finished_at: nullableTimestamp(run.finishedAt),
  max_concurrent_requests: run.maxConcurrent,
  counts: run.counts,
  retry_of: run.retryOf,
})

/** The API's view of a run, with the definition it was created from. */
export const viewRun = (run: Run) => ({
  ...viewListedRun(run),
  snapshot: JSON.parse(run.snapshot) as Record<string, unknown>,
})
