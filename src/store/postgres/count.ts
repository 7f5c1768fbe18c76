import type { JobFilters } from '../store.ts'
import type { Queryable } from './database.ts'
import { jobConditions, Parameters } from './filters.ts'

/** Implements `countJobs`: may take long, so it runs on the reader's connections. */
export const countJobs = async (
  target: Queryable,
  { workspace, filters }: { workspace: string; filters: JobFilters },
): Promise<number> => {
  const parameters = new Parameters()
  const own = `workspace = ${parameters.add(workspace)}`
  const conditions = jobConditions(filters, parameters)
  const text =
    filters.status === undefined
      ? `SELECT count(*) AS count FROM millrace.job AS j WHERE j.${own}${and(conditions)}`
      : countByStatus({ own, status: `${parameters.add(filters.status)}::text[]`, conditions })
  const [row] = await target.query<{ count: number }>({ name: '', text }, parameters.values)
  return row!.count
}

const countByStatus = (parts: { own: string; status: string; conditions: readonly string[] }): string => `
  SELECT count(*) AS count
  FROM (
    SELECT id FROM millrace.live WHERE ${parts.own} AND status = ANY (${parts.status})
    UNION ALL
    SELECT id FROM millrace.ended WHERE ${parts.own} AND status = ANY (${parts.status})
  ) AS s
  ${parts.conditions.length > 0 ? `JOIN millrace.job AS j ON j.id = s.id AND ${parts.conditions.join(' AND ')}` : ''}`

const and = (conditions: readonly string[]): string => conditions.map(condition => ` AND ${condition}`).join('')
