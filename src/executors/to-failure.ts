import { ERRORS, type FailureReason } from '../kernel/errors.ts'
import type { Outcome } from '../model/outcome.ts'
import type { WarehouseError, WarehouseFault } from '../warehouse/warehouse.ts'

/** A query that was cancelled by nobody who may cancel a job was ended with its engine, or by hand in it. */
const REASONS = {
  sql_error: 'sql_error',
  query_memory: 'query_memory',
  query_timeout: 'timeout',
  query_rows: 'query_rows',
  disk_full: 'disk_full',
  cancelled: 'engine_lost',
  engine_lost: 'engine_lost',
  engine_unavailable: 'engine_unavailable',
} as const satisfies Record<WarehouseFault, FailureReason>

/** How an attempt fails by a fault of the warehouse. */
export const toFailure = ({ reason: fault, message }: WarehouseError): Outcome => {
  const reason = REASONS[fault]
  return { type: 'failed', failure: ERRORS[reason].failure, reason, message }
}
