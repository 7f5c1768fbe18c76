import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { findRole } from '../../../data/pipes/check-pipe.ts'
import { getPipe } from '../../../data/pipes/pipes.ts'
import { unknownOfNode } from '../../../data/pipes/unknown-parameters.ts'
import { invalidField, MillraceError, refuseFields } from '../../../kernel/errors.ts'
import { findNode } from '../../../model/catalogue-graph.ts'
import { copyWorkflowName } from '../../../model/copy-schedule.ts'
import { WRITE_MODES } from '../../../model/data-source.ts'
import type { NodeRole, Pipe } from '../../../model/pipe.ts'
import type { App } from '../../app.ts'
import type { Services } from '../../services.ts'
import { choiceField, flagField, givenFields, numberField, readFields, textField } from './fields.ts'
import { mount, namesIn } from './mount.ts'
import { viewPipe } from './pipe-view.ts'
import { createStart } from './start-job.ts'

const pipePath = { pipe: Type.String({ description: 'Name or id.' }) }

/** Pipes, and the jobs that run them. */
export const pipeRoutes = (app: App, services: Services): void => {
  readRoutes(app, services)
  startRoutes(app, services)
  scheduleRoutes(app, services)
}

const readRoutes = (app: App, { data }: Services): void => {
  mount(app, {
    method: 'GET',
    path: '/pipes',
    summary: 'All pipes',
    answer: async ({ caller }) => {
      const catalogue = await data.catalogue(caller.workspace)
      return { pipes: catalogue.pipes.map(pipe => viewPipe(catalogue, pipe)) }
    },
  })

  mount(app, {
    method: 'GET',
    path: '/pipes/:pipe',
    summary: 'One pipe',
    params: pipePath,
    answer: async request => viewPipe(await data.catalogue(request.caller.workspace), await pipeIn(data, request)),
  })
}

const pipeIn = (data: Services['data'], request: FastifyRequest): Promise<Pipe> =>
  getPipe(data, request.caller.workspace, namesIn<'pipe'>(request).pipe)

const POPULATE_FIELDS = {
  populate_subset: numberField('A share of the rows: more than 0, at most 0.1. Overrides populate_condition.'),
  populate_condition: textField('An expression over the columns of the source. Only matching rows are processed.'),
  truncate: flagField('true: replace the existing rows.'),
  unlink_on_populate_error: flagField(
    'Only false is supported: a failed populate changes nothing, so there is nothing to unlink.',
  ),
} as const

const COPY_FIELDS = {
  _mode: choiceField(WRITE_MODES, 'append or replace. Default: the mode of the node.'),
} as const

const startRoutes = (app: App, services: Services): void => {
  const { data } = services
  const { start } = createStart(services)

  mount(app, {
    method: 'POST',
    path: '/pipes/:pipe/nodes/:node/population',
    summary: 'Start a job that populates a materialized node',
    params: { ...pipePath, node: Type.String() },
    fields: POPULATE_FIELDS,
    answer: async request => {
      const fields = readFields(givenFields(request), POPULATE_FIELDS)
      if (fields.unlink_on_populate_error) throw invalidField('unlink_on_populate_error', 'must be false')
      const pipe = await pipeIn(data, request)
      const { node } = namesIn<'node'>(request)
      if (findNode(pipe, node) === undefined)
        throw new MillraceError('not_found', `The pipe ${pipe.name} has no node ${node}.`)
      await requireRole(data, request, { type: 'materialized', pipe, node })
      const { populate_subset: subset, populate_condition: condition, truncate } = fields
      return start(request, {
        populate: {
          pipe: pipe.name,
          node,
          ...(subset !== undefined && { subset }),
          ...(condition !== undefined && { condition }),
          ...(truncate !== undefined && { truncate }),
        },
      })
    },
  })

  mount(app, {
    method: 'POST',
    path: '/pipes/:pipe/copy',
    summary: 'Start the copy of a pipe',
    description: 'Any other parameters are those of its SQL.',
    params: pipePath,
    fields: COPY_FIELDS,
    takesMore: true,
    answer: async request => {
      const given = Object.entries(givenFields(request))
      const own = Object.fromEntries(given.filter(([name]) => name.startsWith('_')))
      const parameters = Object.fromEntries(given.filter(([name]) => !name.startsWith('_')))
      const { _mode: mode } = readFields(own, COPY_FIELDS)
      const pipe = await pipeIn(data, request)
      const found = await requireRole(data, request, { type: 'copy', pipe })
      const unknown = unknownOfNode(await data.catalogue(request.caller.workspace), found, parameters)
      refuseFields(unknown.map(path => ({ path, message: unknownParameter(path) })))
      return start(request, {
        copy: {
          pipe: pipe.name,
          ...(mode !== undefined && { mode }),
          ...(Object.keys(parameters).length > 0 && { parameters }),
        },
      })
    },
  })
}

const unknownParameter = (name: string): string =>
  `is no parameter of this call${Object.hasOwn(COPY_FIELDS, `_${name}`) ? `, which has _${name},` : ''} nor of the SQL of the pipe`

type Wanted<T> = { readonly type: T; readonly pipe: Pipe; readonly node?: string }

/** The node with that role. Throws `invalid` if there is none; otherwise the job would fail for that. */
const requireRole = async <T extends NodeRole['type']>(
  data: Services['data'],
  { caller }: FastifyRequest,
  { type, pipe, node }: Wanted<T>,
) => {
  const names = { pipe: pipe.name, ...(node !== undefined && { node }) }
  const found = findRole(await data.catalogue(caller.workspace), type, names)
  if (typeof found === 'string') throw new MillraceError('invalid', found)
  return found
}

const scheduleRoutes = (app: App, { data, engine: { workflows } }: Services): void => {
  for (const change of ['pause', 'resume'] as const)
    mount(app, {
      method: 'POST',
      path: `/pipes/:pipe/copy/${change}`,
      summary: `${change === 'pause' ? 'Pause' : 'Resume'} the schedule of the copy of a pipe`,
      params: pipePath,
      answer: async request => {
        const { workspace } = request.caller
        const pipe = await pipeIn(data, request)
        const { node, role } = await requireRole(data, request, { type: 'copy', pipe })
        if (role.schedule === null)
          throw new MillraceError('invalid', `The copy node ${node.name} of ${pipe.name} has no schedule.`)
        const workflow = copyWorkflowName({ pipe: pipe.name, node: node.name })
        await workflows[change]({ workspace, workflow })
        return viewPipe(await data.catalogue(workspace), pipe)
      },
    })
}
