import type { FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { keptWithWork } from '../idempotency.ts'
import { Triggered } from '../schemas/run.ts'
import { TerminateBody, TriggerBody, WorkflowPath, WorkflowSchema } from '../schemas/workflow.ts'
import type { Services } from '../services.ts'
import { graceOf } from '../time.ts'
import { viewListedWorkflow } from '../views/workflow-view.ts'

/** Actions on a whole workflow. */
export const workflowCallRoutes = (app: App, { engine, config }: Services): void => {
  const { workflows } = engine

  app.post(
    '/v1/workflows/:workflow/pause',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Pause a workflow',
        description: 'Starts no new runs, and no new items of open runs; running items finish. Can be repeated.',
        params: WorkflowPath,
        response: { 200: WorkflowSchema },
      },
    },
    async request => viewListedWorkflow(await workflows.pause(targetOf(request))),
  )

  app.post(
    '/v1/workflows/:workflow/resume',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Resume a paused or terminated workflow',
        description: 'Paused runs continue. A terminated workflow becomes active again, with a failure counter of 0.',
        params: WorkflowPath,
        response: { 200: WorkflowSchema },
      },
    },
    async request => viewListedWorkflow(await workflows.resume(targetOf(request))),
  )

  app.post(
    '/v1/workflows/:workflow/terminate',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Terminate a workflow',
        description:
          'Also terminates its open runs. Scheduled runs stop; manual ones are still possible. Can be repeated.',
        params: WorkflowPath,
        body: TerminateBody,
        response: { 200: WorkflowSchema },
      },
      config: { optionalBody: true },
      bodyLimit: SMALL_BODY,
    },
    async request => {
      const graceMs = graceOf(request.body)
      return viewListedWorkflow(await workflows.terminate({ ...targetOf(request), graceMs }))
    },
  )

  app.post(
    '/v1/workflows/:workflow/trigger',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Start a run now or at a given time',
        description: 'Needs the scope `jobs:run:<kind>` for every kind of the payload. Does not move the schedule.',
        params: WorkflowPath,
        body: TriggerBody,
        response: { 201: Triggered },
      },
      config: { optionalBody: true, keepsAnswer: true },
    },
    async (request, reply) => {
      const { scheduled_at, parameters } = request.body
      const idempotency = request.firstCall?.key
      const { runId, status } = await workflows.trigger({
        caller: submitterOf(request),
        workflow: request.params.workflow,
        ...(scheduled_at !== undefined && { scheduledAt: scheduled_at }),
        ...(parameters && { parameters }),
        ...(idempotency && { idempotency }),
      })
      keptWithWork(request)
      reply.code(201).header('location', `${config.publicUrl}/v1/runs/${runId}`)
      return { run_id: runId, status }
    },
  )
}

const targetOf = ({ caller, params }: FastifyRequest<{ Params: { workflow: string } }>) => ({
  workspace: caller.workspace,
  workflow: params.workflow,
})
