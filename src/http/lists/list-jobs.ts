import type { FastifyRequest } from 'fastify'
import { viewJob } from '../../model/job-view.ts'
import type { JobFilters } from '../../store/store.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import type { Services } from '../services.ts'
import { countWhen } from './count.ts'
import { type FilterFields, toJobFilters } from './job-filters.ts'

/** The query of a list of jobs. */
export type ListFields = FilterFields & {
  readonly limit?: number
  readonly cursor?: string
  readonly count?: boolean
}

/** One page of jobs, for `GET /v1/jobs` and the jobs of a workflow or run. */
export const createJobList =
  ({ store, config }: Pick<Services, 'store' | 'config'>) =>
  async ({ caller }: FastifyRequest, query: ListFields) => {
    const { limit = DEFAULT_LIMIT, cursor = null, count = false, ...fields } = query
    const filters = filtersFor(caller, fields)
    const { workspace } = caller
    if (filters === null) return { jobs: [], next_cursor: null, ...(count && { count: 0 }) }
    const page = await store.listJobs({ workspace, filters, limit, cursor })
    return {
      jobs: page.jobs.map(job => viewJob(job, config)),
      next_cursor: page.nextCursor,
      ...(await countWhen(count, () => store.countJobs({ workspace, filters }))),
    }
  }

/** A job's own token lists only the job's children. */
const filtersFor = (caller: FastifyRequest['caller'], fields: FilterFields): JobFilters | null => {
  if (caller.job === null) return toJobFilters(fields)
  if (fields.parent_job_id !== undefined && fields.parent_job_id !== caller.job.jobId) return null
  return toJobFilters({ ...fields, parent_job_id: caller.job.jobId })
}
