import { nullableTimestamp, toTimestamp } from '../../kernel/clock.ts'
import type { Job } from '../../model/job.ts'
import type { Delivery } from '../../model/workflow.ts'

/** A delivery in a list. */
export const viewListedDelivery = (delivery: Delivery) => ({
  delivery_id: delivery.id,
  job_id: delivery.jobId,
  run_id: delivery.runId,
  workflow_id: delivery.workflowId,
  kind: delivery.kind,
  sink_index: delivery.sinkIndex,
  status: delivery.status,
  tries: delivery.tries,
  created_at: toTimestamp(delivery.createdAt),
  next_try_at: nullableTimestamp(delivery.nextTryAt),
  last_try_at: nullableTimestamp(delivery.lastTryAt),
  delivered_at: nullableTimestamp(delivery.deliveredAt),
  last_status: delivery.lastStatus,
  last_error: delivery.lastError,
})

/** A delivery with its sink from the job's spec, where secrets are `"***"`. */
export const viewDelivery = (delivery: Delivery, job: Job | null) => ({
  ...viewListedDelivery(delivery),
  sink: job && sinkOf(job, delivery.sinkIndex),
})

const sinkOf = (job: Job, index: number): Record<string, unknown> | null => {
  const { sinks } = JSON.parse(job.spec) as { sinks?: readonly Record<string, unknown>[] }
  return sinks?.[index] ?? null
}
