import type { QueryLimits } from './warehouse.ts'

/**
 * Nodes of a query when everything is put where it is read. With the engine's own limit, more than twice that, a query of 1 kB is analysed for half a
 * minute.
 */
export const ANALYSIS_LIMITS = { max_expanded_ast_elements: 200_000 } as const

/** How deep what is kept may be nested, less than what may run: who reads it nests it further. */
export const KEPT_DEPTH = { max_subquery_depth: 80 } as const

/** The limits of a query as settings of ClickHouse. */
export const limitSettings = ({
  timeoutMs,
  memoryBytes,
  threads,
  resultRows,
}: QueryLimits): Record<string, string | number> => ({
  ...ANALYSIS_LIMITS,
  max_subquery_depth: 200,
  max_memory_usage: String(memoryBytes),
  ...(timeoutMs === null ? {} : { max_execution_time: timeoutMs / 1000, timeout_overflow_mode: 'throw' }),
  ...(threads === null ? {} : { max_threads: threads }),
  ...(resultRows === null ? {} : { max_result_rows: String(resultRows), result_overflow_mode: 'throw' }),
})
