import type { FailureReason } from '../kernel/errors.ts'
import { type Failed, failed } from '../model/outcome.ts'
import type { WarehouseError, WarehouseFault } from '../warehouse/warehouse.ts'

/** If a query was cancelled but its job was not stopped, it ended with its engine or was killed there by hand. */
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

/** The failed outcome for a fault of the warehouse. */
export const toFailure = ({ reason, message }: WarehouseError): Failed => failed(REASONS[reason], message)
