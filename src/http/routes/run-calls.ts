import type { FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { keptWithWork } from '../idempotency.ts'
import { ListedRun, RetriedFailed, RunPath } from '../schemas/run.ts'
import { TerminateBody } from '../schemas/workflow.ts'
import type { Services } from '../services.ts'
import { graceOf } from '../time.ts'
import { viewListedRun } from '../views/run-view.ts'

/** Actions on a whole run. */
export const runCallRoutes = (app: App, { engine, config }: Services): void => {
  const { workflows } = engine

  app.post(
    '/v1/runs/:run_id/pause',
    {
      schema: {
        tags: ['Runs'],
        summary: 'Pause a run',
        description: 'Starts no new items; running items finish. Can be repeated.',
        params: RunPath,
        response: { 200: ListedRun },
      },
    },
    async request => viewListedRun(await workflows.pauseRun(targetOf(request))),
  )

  app.post(
    '/v1/runs/:run_id/resume',
    {
      schema: { tags: ['Runs'], summary: 'Resume a paused run', params: RunPath, response: { 200: ListedRun } },
    },
    async request => viewListedRun(await workflows.resumeRun(targetOf(request))),
  )

  app.post(
    '/v1/runs/:run_id/terminate',
    {
      schema: {
        tags: ['Runs'],
        summary: 'Terminate a run',
        description:
          'Waiting items are cancelled, running items are stopped. No effect on an ended run. Can be repeated.',
        params: RunPath,
        body: TerminateBody,
        response: { 200: ListedRun },
      },
      config: { optionalBody: true },
      bodyLimit: SMALL_BODY,
    },
    async request => {
      const graceMs = graceOf(request.body)
      return viewListedRun(await workflows.terminateRun({ ...targetOf(request), graceMs }))
    },
  )

  app.post(
    '/v1/runs/:run_id/retry_failed',
    {
      schema: {
        tags: ['Runs'],
        summary: 'Retry the failed items of an ended run in a new run',
        description: 'Needs the scope `jobs:run:<kind>` for every kind of them.',
        params: RunPath,
        response: { 201: RetriedFailed },
      },
      config: { keepsAnswer: true },
    },
    async (request, reply) => {
      const idempotency = request.firstCall?.key
      const { runId, status, itemsPurged } = await workflows.retryFailed({
        caller: submitterOf(request),
        runId: request.params.run_id,
        ...(idempotency && { idempotency }),
      })
      keptWithWork(request)
      reply.code(201).header('location', `${config.publicUrl}/v1/runs/${runId}`)
      return { run_id: runId, status, items_purged: itemsPurged }
    },
  )
}

const targetOf = ({ caller, params }: FastifyRequest<{ Params: { run_id: string } }>) => ({
  workspace: caller.workspace,
  runId: params.run_id,
})
