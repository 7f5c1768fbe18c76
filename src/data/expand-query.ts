import type { Catalogue } from '../model/catalogue.ts'
import { findPipe } from '../model/catalogue-graph.ts'
import { compileQuery } from '../model/compile-node.ts'
import { quoteIdentifier } from '../warehouse/quote-identifier.ts'
import type { Data } from './data.ts'
import { JOBS_LOG_NAMES } from './jobs-log-table.ts'

type Query = {
  readonly workspace: string
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/**
 * A user's SELECT that may name pipes and the history of jobs, as one that names tables alone. It is not judged yet. Throws
 * `WarehouseError`.
 */
export const expandQuery = async (data: Data, query: Query): Promise<string> => {
  const { workspace, sql } = query
  const catalogue = await data.catalogue(workspace)
  // Most queries name none, and need not be looked at twice.
  if (!mayName(catalogue, query)) return sql
  const read = await data.warehouse.readSelect(query)
  const logs = read.tables.filter(name => JOBS_LOG_NAMES.has(name))
  const pipes = read.tables.filter(name => findPipe(catalogue, name)?.name === name)
  if (logs.length > 0) await data.jobsLog.sync(workspace)
  const named = logs.length === 0 ? read.sql : withJobsLog(read.sql, logs)
  return pipes.length === 0 ? named : compileQuery(catalogue, named, pipes)
}

/** A parameter may stand for a name. */
const mayName = ({ pipes }: Catalogue, { sql, parameters = {} }: Query): boolean => {
  const texts = [sql, ...Object.values(parameters).filter(value => typeof value === 'string')]
  return ['jobs_log', ...pipes.map(({ name }) => name)].some(name => texts.some(text => text.includes(name)))
}

/** Strings and quoted names, in which nothing is meant; or a name of the log. */
const TOKEN =
  /('(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`)|(?<![\w.`])(system|tinybird)\.(jobs_log)\b/g

/** The one name under `system` that may be read (`api.md`, Data). The text is as the engine prints it: without comments. */
const withJobsLog = (sql: string, names: readonly string[]): string => {
  const named = sql.replace(TOKEN, (text, opaque, database, table) =>
    opaque === undefined ? JOBS_LOG_NAMES.get(`${database}.${table}`)!.name : text,
  )
  const definitions = names.map(name => {
    const meant = JOBS_LOG_NAMES.get(name)!
    return `${quoteIdentifier(meant.name)} AS (${meant.sql})`
  })
  return `WITH ${definitions.join(', ')} SELECT * FROM (\n${named}\n)`
}
