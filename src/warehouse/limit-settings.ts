import type { QueryLimits } from './warehouse.ts'

/** The limits of a query as settings of ClickHouse. */
export const limitSettings = ({
  timeoutMs,
  memoryBytes,
  threads,
  resultRows,
}: QueryLimits): Record<string, string | number> => ({
  max_memory_usage: String(memoryBytes),
  ...(timeoutMs === null ? {} : { max_execution_time: timeoutMs / 1000, timeout_overflow_mode: 'throw' }),
  ...(threads === null ? {} : { max_threads: threads }),
  ...(resultRows === null ? {} : { max_result_rows: String(resultRows), result_overflow_mode: 'throw' }),
})
