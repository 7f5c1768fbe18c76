import { noSuchRun } from '../../engine/not-found.ts'
import type { App } from '../app.ts'
import { createJobList } from '../lists/list-jobs.ts'
import { createRunList } from '../lists/list-runs.ts'
import { JobPage, RunJobQuery } from '../schemas/job.ts'
import { RunPage, RunPath, RunQuery, RunSchema } from '../schemas/run.ts'
import type { Services } from '../services.ts'
import { viewRun } from '../views/run-view.ts'

/** Reading runs. Only the `GET` of a single run shows the workflow's snapshot. */
export const runRoutes = (app: App, services: Services): void => {
  const { store } = services
  const listRuns = createRunList(services)
  const listJobs = createJobList(services)

  app.get(
    '/v1/runs',
    {
      schema: {
        tags: ['Runs'],
        summary: 'List runs, newest first',
        querystring: RunQuery,
        response: { 200: RunPage },
      },
    },
    async request => {
      const { workflow, ...fields } = request.query
      if (workflow === undefined) return listRuns(request, fields)
      const found = await store.getWorkflow({ workspace: request.caller.workspace, workflow })
      // A deleted workflow is still known by its id, in its runs.
      const workflowId = found?.id ?? workflow
      const isOther = fields.workflow_id !== undefined && fields.workflow_id !== workflowId
      return listRuns(request, { ...fields, workflow_id: isOther ? '' : workflowId })
    },
  )

  app.get(
    '/v1/runs/:run_id',
    { schema: { tags: ['Runs'], summary: 'One run', params: RunPath, response: { 200: RunSchema } } },
    async request => {
      const runId = request.params.run_id
      const run = await store.getRun({ workspace: request.caller.workspace, runId })
      if (run === null) throw noSuchRun(runId)
      return viewRun(run)
    },
  )

  app.get(
    '/v1/runs/:run_id/jobs',
    {
      schema: {
        tags: ['Runs'],
        summary: 'Jobs of a run, newest first',
        params: RunPath,
        querystring: RunJobQuery,
        response: { 200: JobPage },
      },
    },
    async request => {
      const runId = request.params.run_id
      if ((await store.getRun({ workspace: request.caller.workspace, runId })) === null) throw noSuchRun(runId)
      return listJobs(request, { ...request.query, run_id: runId })
    },
  )
}
