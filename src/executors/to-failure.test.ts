import { expect, test } from 'vitest'
import { WarehouseError, type WarehouseFault } from '../warehouse/warehouse.ts'
import { toFailure } from './to-failure.ts'

test.each<[WarehouseFault, string, string]>([
  ['sql_error', 'sql_error', 'user'],
  ['query_memory', 'query_memory', 'user'],
  ['query_rows', 'query_rows', 'user'],
  ['query_timeout', 'timeout', 'user'],
  ['disk_full', 'disk_full', 'user'],
  ['engine_lost', 'engine_lost', 'system'],
  ['engine_unavailable', 'engine_unavailable', 'system'],
  ['cancelled', 'engine_lost', 'system'],
])('%s fails the attempt as %s, a %s failure', (fault, reason, failure) => {
  const outcome = toFailure(new WarehouseError(fault, 'what happened'))
  expect(outcome).toEqual({ type: 'failed', failure, reason, message: 'what happened' })
})
