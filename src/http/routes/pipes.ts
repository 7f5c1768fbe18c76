import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { createPipe, dropPipe, getPipe, type NewPipe, replacePipe } from '../../data/pipes/pipes.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { scheduledCopies } from '../../model/copy-schedule.ts'
import type { App } from '../app.ts'
import type { Caller } from '../auth/caller.ts'
import { submitterOf } from '../auth/submitter.ts'
import { readPipe } from '../bodies/read-pipe.ts'
import { countWhen } from '../lists/count.ts'
import { pageOf } from '../lists/page-of.ts'
import { DEFAULT_LIMIT } from '../schemas/basics.ts'
import { DataPageQuery } from '../schemas/data-source.ts'
import { NewPipeBody, PipeBody, PipePage, PipePath, PipeSchema } from '../schemas/pipe.ts'
import type { Services } from '../services.ts'
import { viewPipe } from '../views/pipe-view.ts'

/** CRUD for pipes. The workflows of copy schedules are updated after each change. */
export const pipeRoutes = (app: App, services: Services): void => {
  readRoutes(app, services)
  changeRoutes(app, services)
}

const readRoutes = (app: App, { data }: Services): void => {
  app.get(
    '/v1/pipes',
    {
      schema: {
        tags: ['Pipes'],
        summary: 'List pipes, newest first',
        querystring: DataPageQuery,
        response: { 200: PipePage },
      },
    },
    async request => {
      const { limit = DEFAULT_LIMIT, cursor = null, count } = request.query
      const { pipes } = await data.catalogue(request.caller.workspace)
      const { page, nextCursor } = pageOf(pipes, { limit, cursor })
      return {
        pipes: page.map(viewPipe),
        next_cursor: nextCursor,
        ...(await countWhen(count, async () => pipes.length)),
      }
    },
  )

  app.get(
    '/v1/pipes/:pipe',
    { schema: { tags: ['Pipes'], summary: 'One pipe', params: PipePath, response: { 200: PipeSchema } } },
    async request => viewPipe(await getPipe(data, request.caller.workspace, request.params.pipe)),
  )
}

const changeRoutes = (app: App, { data, engine: { copySchedules }, config }: Services): void => {
  /** Before anything is stored: refuses an invalid schedule, and one from a caller who may not run copies. */
  const checkSchedules = (request: FastifyRequest, pipe: NewPipe): Promise<void> =>
    copySchedules.check({ author: submitterOf(request), copies: scheduledCopies(pipe) })

  /** Throws `forbidden`. Defining a node's target counts as writing to it, even if the data source already exists. */
  const checkTargets = ({ scopes }: Caller, { nodes }: NewPipe): void => {
    if (scopes.includes('datasources:write')) return
    const writing = nodes.find(({ role }) => role.type !== 'plain')
    if (writing !== undefined)
      throw new MillraceError(
        'forbidden',
        `The token lacks the scope datasources:write: the node ${writing.name} puts rows into a data source.`,
      )
  }

  app.post(
    '/v1/pipes',
    {
      schema: {
        tags: ['Pipes'],
        summary: 'Create a pipe',
        description:
          'Missing data sources that its nodes write to are created. Such nodes need the scope `datasources:write`, a schedule needs `jobs:run:copy`.',
        body: NewPipeBody,
        response: { 201: PipeSchema },
      },
    },
    async (request, reply) => {
      const { workspace } = request.caller
      const given = readPipe(request.body)
      checkTargets(request.caller, given)
      await checkSchedules(request, given)
      const pipe = await createPipe(data, workspace, given)
      await copySchedules.sync(workspace)
      reply.code(201).header('location', `${config.publicUrl}/v1/pipes/${pipe.id}`)
      return viewPipe(pipe)
    },
  )

  app.put(
    '/v1/pipes/:pipe',
    {
      schema: {
        tags: ['Pipes'],
        summary: 'Replace a pipe',
        description:
          'Replaces its nodes and description. Rows that former nodes wrote stay. The response of a GET can be sent back.',
        params: PipePath,
        body: PipeBody,
        response: { 200: PipeSchema },
      },
    },
    async request => {
      const { workspace } = request.caller
      const before = await getPipe(data, workspace, request.params.pipe)
      const given = readPipe(request.body)
      checkTargets(request.caller, given)
      await checkSchedules(request, given)
      const pipe = await replacePipe(data, workspace, before.name, given)
      await copySchedules.sync(workspace)
      return viewPipe(pipe)
    },
  )

  app.delete(
    '/v1/pipes/:pipe',
    {
      schema: {
        tags: ['Pipes'],
        summary: 'Delete a pipe',
        description:
          'Refused while another pipe reads it. Data sources that it filled stay. Schedules of its copy nodes and their open runs end.',
        params: PipePath,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { workspace } = request.caller
      await dropPipe(data, workspace, request.params.pipe)
      await copySchedules.sync(workspace)
      return reply.code(204).send(null)
    },
  )
}
