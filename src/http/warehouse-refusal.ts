import { MillraceError, type RequestErrorCode } from '../kernel/errors.ts'
import type { WarehouseError, WarehouseFault } from '../warehouse/warehouse.ts'

/** A caller who cancelled has left, so `cancelled` means that the query was killed in the engine. */
const CODES = {
  sql_error: 'sql_error',
  query_memory: 'query_memory',
  query_timeout: 'query_too_slow',
  query_rows: 'query_rows',
  disk_full: 'insufficient_storage',
  cancelled: 'engine_lost',
  engine_lost: 'engine_lost',
  engine_unavailable: 'engine_unavailable',
} as const satisfies Record<WarehouseFault, RequestErrorCode>

/** The refusal for a failure of the warehouse, on any route. */
export const toRefusal = ({ reason, message }: WarehouseError): MillraceError => {
  const isPassing = reason === 'engine_lost' || reason === 'cancelled'
  return new MillraceError(CODES[reason], message, isPassing ? { retryAfter: 1 } : {})
}
