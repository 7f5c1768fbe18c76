import { outerNames } from '../../model/bound-select.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { findPipe } from '../../model/catalogue-graph.ts'
import type { Definition } from '../../model/flatten-select.ts'
import type { Data } from '../data.ts'
import { JOBS_LOG_NAMES, jobsLogDefinitions } from '../history/jobs-log-table.ts'
import { compileQuery } from './compile-select.ts'

type Query = {
  readonly workspace: string
  readonly sql: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** Rewrites a user's SELECT, which may name pipes and the job history, to one over tables only. The guard has not approved it yet. Throws `WarehouseError`. */
export const expandQuery = async (data: Data, query: Query): Promise<string> => {
  const { workspace, sql } = query
  const catalogue = await data.catalogue(workspace)
  // Most queries name none of these, and need no analysis.
  if (!mayName(catalogue, query)) return sql
  const select = await data.warehouse.bindSelect(query)
  const names = outerNames(select).map(({ name }) => name)
  const isOfLog = JOBS_LOG_NAMES.some(name => names.includes(name))
  if (isOfLog) await data.jobsLog.sync(workspace)
  else if (!names.some(name => findPipe(catalogue, name)?.name === name)) return sql
  const others = isOfLog ? jobsLogDefinitions({ workspace, catalogue }) : NONE
  return compileQuery(data, { workspace, catalogue, select, others })
}

/** The text contains the name of the log or of a pipe, or a prefix reserved for the server. A parameter may stand for a name. */
const mayName = ({ pipes }: Catalogue, { sql, parameters = {} }: Query): boolean => {
  const texts = [sql, ...Object.values(parameters).filter(value => typeof value === 'string')]
  return ['jobs_log', 'c__', ...pipes.map(({ name }) => name)].some(name => texts.some(text => text.includes(name)))
}

const NONE: ReadonlyMap<string, Definition> = new Map()
