import type { FastifyRequest } from 'fastify'
import { noSuchWorkflow } from '../../engine/not-found.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import type { Workflow } from '../../model/workflow.ts'
import type { App } from '../app.ts'
import { countWhen } from '../lists/count.ts'
import { createJobList } from '../lists/list-jobs.ts'
import { createRunList } from '../lists/list-runs.ts'
import { DEFAULT_LIMIT, pageQuery, strictObject } from '../schemas/basics.ts'
import { JobPage, WorkflowJobQuery } from '../schemas/job.ts'
import { RunPage, WorkflowRunQuery } from '../schemas/run.ts'
import { SlotPage, Upcoming, UpcomingQuery, WorkflowPath } from '../schemas/workflow.ts'
import type { Services } from '../services.ts'
import { viewSlot } from '../views/workflow-view.ts'

/** A workflow's past and upcoming runs, jobs and slots. */
export const workflowHistoryRoutes = (app: App, services: Services): void => {
  const { store, engine } = services
  const listJobs = createJobList(services)
  const listRuns = createRunList(services)

  const find = async ({ caller, params }: FastifyRequest<{ Params: { workflow: string } }>): Promise<Workflow> => {
    const { workflow } = params
    const found = await store.getWorkflow({ workspace: caller.workspace, workflow })
    if (found === null) throw noSuchWorkflow(workflow)
    return found
  }

  app.get(
    '/v1/workflows/:workflow/runs',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Runs of a workflow, newest first',
        params: WorkflowPath,
        querystring: WorkflowRunQuery,
        response: { 200: RunPage },
      },
    },
    async request => listRuns(request, { ...request.query, workflow_id: (await find(request)).id }),
  )

  app.get(
    '/v1/workflows/:workflow/jobs',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Jobs of a workflow, newest first',
        params: WorkflowPath,
        querystring: WorkflowJobQuery,
        response: { 200: JobPage },
      },
    },
    async request => listJobs(request, { ...request.query, workflow_id: (await find(request)).id }),
  )

  app.get(
    '/v1/workflows/:workflow/upcoming',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'The next slots of a workflow',
        params: WorkflowPath,
        querystring: UpcomingQuery,
        response: { 200: Upcoming },
      },
    },
    async request => {
      const { workflow } = request.params
      const { count = 10 } = request.query
      const { state, slots } = await engine.workflows.upcoming({ workspace: request.caller.workspace, workflow, count })
      const shown = slots.map(({ slot, fireAt }) => ({ slot: toTimestamp(slot), fire_at: toTimestamp(fireAt) }))
      return { state, slots: shown }
    },
  )

  app.get(
    '/v1/workflows/:workflow/slots',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Slots that fired or were skipped, newest first',
        params: WorkflowPath,
        querystring: strictObject(pageQuery),
        response: { 200: SlotPage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count } = request.query
      const which = { workspace: request.caller.workspace, workflow: request.params.workflow }
      const page = await store.listSlots({ ...which, limit, cursor })
      if (page === null) throw noSuchWorkflow(which.workflow)
      return {
        slots: page.slots.map(viewSlot),
        next_cursor: page.nextCursor,
        ...(await countWhen(count, () => store.countSlots(which))),
      }
    },
  )
}
