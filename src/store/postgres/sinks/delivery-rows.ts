import type { Delivery } from '../../../model/workflow.ts'

export const DELIVERY_COLUMNS = `
      delivery.position, delivery.id, delivery.workspace, delivery.job_id, delivery.run_id, delivery.workflow_id,
      delivery.kind, delivery.sink_index, delivery.status, delivery.tries, delivery.created_at, delivery.next_try_at,
      delivery.first_try_at, delivery.last_try_at, delivery.delivered_at, delivery.last_status, delivery.last_error`

export type DeliveryRow = {
  readonly position: number
  readonly id: string
  readonly workspace: string
  readonly job_id: string
  readonly run_id: string | null
  readonly workflow_id: string | null
  readonly kind: Delivery['kind']
  readonly sink_index: number
  readonly status: Delivery['status']
  readonly tries: number
  readonly created_at: number
  readonly next_try_at: number | null
  readonly first_try_at: number | null
  readonly last_try_at: number | null
  readonly delivered_at: number | null
  readonly last_status: number | null
  readonly last_error: string | null
}

export const toDelivery = (row: DeliveryRow): Delivery => ({
  id: row.id,
  workspace: row.workspace,
  jobId: row.job_id,
  runId: row.run_id,
  workflowId: row.workflow_id,
  kind: row.kind,
  sinkIndex: row.sink_index,
  status: row.status,
  tries: row.tries,
  createdAt: row.created_at,
  nextTryAt: row.next_try_at,
  lastTryAt: row.last_try_at,
  deliveredAt: row.delivered_at,
  lastStatus: row.last_status,
  lastError: row.last_error,
})
