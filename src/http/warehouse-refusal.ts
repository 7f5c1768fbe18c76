import { MillraceError, type RequestErrorCode } from '../kernel/errors.ts'
import type { WarehouseError, WarehouseFault } from '../warehouse/warehouse.ts'

/** Who cancelled has left, except when somebody ended the query in the engine itself. */
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

/** What a request is told when the warehouse could not do its part, whichever route asked. */
export const toRefusal = ({ reason, message }: WarehouseError): MillraceError => {
  const isPassing = reason === 'engine_lost' || reason === 'cancelled'
  return new MillraceError(CODES[reason], message, isPassing ? { retryAfter: 1 } : {})
}
