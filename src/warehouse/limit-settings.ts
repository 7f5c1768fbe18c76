import type { QueryLimits } from './warehouse.ts'

/**
 * AST nodes of a query after aliases are expanded. With the engine's own limit, which is more than twice as high, a query of 1 kB takes half a minute to
 * analyse.
 */
export const ANALYSIS_LIMITS = { max_expanded_ast_elements: 200_000 } as const

/** The deepest nesting of a stored query. It is lower than for one that runs, because its readers nest it deeper. */
export const KEPT_DEPTH = { max_subquery_depth: 80 } as const

/** A query's limits as ClickHouse settings. */
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
