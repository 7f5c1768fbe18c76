import type { Catalogue } from '../model/catalogue.ts'
import { findPipe } from '../model/catalogue-graph.ts'
import { compileQuery } from '../model/compile-node.ts'
import { quoteIdentifier } from '../warehouse/quote-identifier.ts'
import type { Data } from './data.ts'
import { JOBS_LOG_NAMES } from './jobs-log-table.ts'

type Query = { readonly workspace: string; readonly sql: string }

/**
 * A user's SELECT that may name pipes and the history of jobs, as one that names tables alone. It is not judged yet, except
 * where it names a pipe. Throws `WarehouseError`.
 */
export const expandQuery = async (data: Data, { workspace, sql }: Query): Promise<string> =>
  expandPipes(data, await data.catalogue(workspace), { workspace, sql: await expandJobsLog(data, { workspace, sql }) })

const expandPipes = async ({ warehouse }: Data, catalogue: Catalogue, { workspace, sql }: Query): Promise<string> => {
  // Most queries name none, and need not be looked at twice.
  if (!catalogue.pipes.some(({ name }) => sql.includes(name))) return sql
  const inspected = await warehouse.inspectSelect({ workspace, sql })
  const pipes = inspected.tables.filter(name => findPipe(catalogue, name)?.name === name)
  return pipes.length === 0 ? sql : compileQuery(catalogue, inspected.sql, pipes)
}

/** Strings, quoted names and comments, in which nothing is meant; or a name of the log. */
const TOKEN =
  /('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<![\w.`])(system|tinybird)\.(jobs_log)\b/g

/** The one name under `system` that may be read (`api.md`, Data). The table is brought up to date first. */
const expandJobsLog = async ({ jobsLog }: Data, { workspace, sql }: Query): Promise<string> => {
  if (!sql.includes('jobs_log')) return sql
  const used = new Set<string>()
  const named = sql.replace(TOKEN, (text, opaque, database, table) => {
    if (opaque !== undefined) return text
    used.add(`${database}.${table}`)
    return JOBS_LOG_NAMES.get(`${database}.${table}`)!.name
  })
  if (used.size === 0) return sql
  await jobsLog.sync(workspace)
  const definitions = [...used].map(name => {
    const meant = JOBS_LOG_NAMES.get(name)!
    return `${quoteIdentifier(meant.name)} AS (${meant.sql})`
  })
  return `WITH ${definitions.join(', ')} SELECT * FROM (\n${named}\n)`
}
