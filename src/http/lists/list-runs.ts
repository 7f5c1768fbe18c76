import type { FastifyRequest } from 'fastify'
import { type FieldError, refuseFields } from '../../kernel/errors.ts'
import { isId } from '../../kernel/ids.ts'
import type { Trigger } from '../../model/trigger.ts'
import type { RunStatus } from '../../model/workflow.ts'
import type { RunFilters } from '../../store/workflow-store.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import type { Services } from '../services.ts'
import { readCreated } from '../time.ts'
import { viewListedRun } from '../views/run-view.ts'
import { countWhen } from './count.ts'

/** The validated query of a list of runs. */
export type RunListFields = {
  readonly workflow_id?: string
  readonly status?: readonly RunStatus[]
  readonly trigger?: Trigger
  readonly created_after?: string
  readonly created_before?: string
  readonly limit?: number
  readonly cursor?: string
  readonly count?: boolean
}

/** One page of runs, for `GET /v1/runs` and the runs of a workflow. */
export const createRunList =
  ({ store }: Pick<Services, 'store'>) =>
  async ({ caller }: FastifyRequest, query: RunListFields) => {
    const { limit = DEFAULT_LIMIT, cursor = null, count = false, ...fields } = query
    const { workspace } = caller
    const filters = toRunFilters(fields)
    if (filters === null) return { runs: [], next_cursor: null, ...(count && { count: 0 }) }
    const page = await store.listRuns({ workspace, filters, limit, cursor })
    return {
      runs: page.runs.map(viewListedRun),
      next_cursor: page.nextCursor,
      ...(await countWhen(count, () => store.countRuns({ workspace, filters }))),
    }
  }

/** null if nothing can match, because the id is not well-formed. Throws `invalid`. */
const toRunFilters = (fields: RunListFields): RunFilters | null => {
  const errors: FieldError[] = []
  const created = readCreated(fields, errors)
  refuseFields(errors)
  const { workflow_id, status, trigger } = fields
  if (workflow_id !== undefined && !isId(workflow_id)) return null
  return {
    ...created,
    ...(workflow_id && { workflowId: workflow_id }),
    ...(status && { status }),
    ...(trigger && { trigger }),
  }
}
