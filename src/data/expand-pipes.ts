import { findPipe } from '../model/catalogue-graph.ts'
import { compileQuery } from '../model/compile-node.ts'
import type { Data } from './data.ts'

/**
 * A user's SELECT that may name pipes, as one that names data sources alone. It is not judged yet, except where it names one.
 * Throws `WarehouseError('sql_error')`.
 */
export const expandPipes = async (
  { warehouse, catalogue }: Data,
  { workspace, sql }: { readonly workspace: string; readonly sql: string },
): Promise<string> => {
  const now = await catalogue(workspace)
  // Most queries name none, and need not be looked at twice.
  if (!now.pipes.some(({ name }) => sql.includes(name))) return sql
  const inspected = await warehouse.inspectSelect({ workspace, sql })
  const pipes = inspected.tables.filter(name => findPipe(now, name)?.name === name)
  return pipes.length === 0 ? sql : compileQuery(now, inspected.sql, pipes)
}
