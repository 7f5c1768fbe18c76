import Type from 'typebox'
import { noSuchWorkflow } from '../../engine/not-found.ts'
import { invalidField } from '../../kernel/errors.ts'
import { isPlainObject } from '../../kernel/plain-object.ts'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { countWhen } from '../lists/count.ts'
import { isName } from '../paths.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import {
  CheckAnswer,
  SHOWN_FIELDS,
  WorkflowPage,
  WorkflowPath,
  WorkflowQuery,
  WorkflowSchema,
} from '../schemas/workflow.ts'
import { WorkflowBody } from '../schemas/workflow-body.ts'
import type { Services } from '../services.ts'
import { unchecked } from '../validation.ts'
import { viewListedWorkflow, viewWorkflow } from '../views/workflow-view.ts'

/** CRUD for workflows. Only the `GET` of a single workflow shows its payload. */
export const workflowRoutes = (app: App, { store, engine, config }: Services): void => {
  /** Whether a workflow with the definition's name exists. */
  const isKept = async (workspace: string, definition: unknown): Promise<boolean> => {
    const { name } = Object(definition) as { name?: unknown }
    return typeof name === 'string' && isName(name) && (await store.getWorkflow({ workspace, workflow: name })) !== null
  }

  app.post(
    '/v1/workflows',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Create a workflow',
        description: 'Needs the scope `jobs:run:<kind>` for every kind of the payload.',
        body: WorkflowBody,
        response: { 201: WorkflowSchema },
      },
      validatorCompiler: unchecked,
    },
    async (request, reply) => {
      const workflow = await engine.workflows.create({ author: submitterOf(request), definition: request.body })
      reply.code(201).header('location', `${config.publicUrl}/v1/workflows/${workflow.id}`)
      return viewListedWorkflow(workflow)
    },
  )

  app.post(
    '/v1/workflows/check',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Validate a definition without saving it',
        description: 'Refuses what creating the workflow (or replacing the one with that name) would refuse.',
        body: WorkflowBody,
        response: { 200: CheckAnswer },
      },
      validatorCompiler: unchecked,
    },
    async request => {
      const { body, caller } = request
      // Replacing ignores fields that creating refuses.
      const definition = (await isKept(caller.workspace, body)) ? withoutShownFields(body) : body
      return { outcome: await engine.workflows.check({ author: submitterOf(request), definition }) }
    },
  )

  app.get(
    '/v1/workflows',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'List workflows, newest first',
        querystring: WorkflowQuery,
        response: { 200: WorkflowPage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count, state, query } = request.query
      const { workspace } = request.caller
      const filters = { ...(state && { state }), ...(query !== undefined && { query }) }
      const page = await store.listWorkflows({ workspace, filters, limit, cursor })
      return {
        workflows: page.workflows.map(viewListedWorkflow),
        next_cursor: page.nextCursor,
        ...(await countWhen(count, () => store.countWorkflows({ workspace, filters }))),
      }
    },
  )

  app.get(
    '/v1/workflows/:workflow',
    {
      schema: { tags: ['Workflows'], summary: 'One workflow', params: WorkflowPath, response: { 200: WorkflowSchema } },
    },
    async request => {
      const { workflow } = request.params
      const found = await store.getWorkflow({ workspace: request.caller.workspace, workflow })
      if (found === null) throw noSuchWorkflow(workflow)
      return viewWorkflow(found)
    },
  )

  app.put(
    '/v1/workflows/:workflow',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Replace a workflow',
        description:
          'Affects later runs only. The response of a GET can be sent back: a secret given as "***" keeps its value if it is sent to the same address as before, and fields added by the server are ignored.',
        params: WorkflowPath,
        body: WorkflowBody,
        response: { 200: WorkflowSchema },
      },
      validatorCompiler: unchecked,
    },
    async request => {
      const { workflow } = await engine.workflows.replace({
        author: submitterOf(request),
        workflow: request.params.workflow,
        definition: withoutShownFields(request.body),
      })
      return viewListedWorkflow(workflow)
    },
  )

  app.delete(
    '/v1/workflows/:workflow',
    {
      schema: {
        tags: ['Workflows'],
        summary: 'Delete a workflow',
        description: 'The workflow must be paused or terminated and have no open run. Its runs and jobs stay.',
        params: WorkflowPath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      await engine.workflows.delete({ workspace: request.caller.workspace, workflow: request.params.workflow })
      return reply.code(204).send(null)
    },
  )
}

const withoutShownFields = (body: unknown): unknown => {
  if (!isPlainObject(body)) throw invalidField('', 'must be an object: a workflow')
  return Object.fromEntries(Object.entries(body).filter(([name]) => !SHOWN_FIELDS.includes(name)))
}
