import { toTimestamp } from '../../kernel/clock.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { Workspace } from '../../store/store.ts'
import type { App } from '../app.ts'
import { SMALL_BODY } from '../bodies/json-body.ts'
import { NewWorkspace, WorkspaceBody, WorkspaceList } from '../schemas/token.ts'
import type { Services } from '../services.ts'

/** Workspaces, for the administrator of the instance. */
export const workspaceRoutes = (app: App, { store }: Services): void => {
  app.post(
    '/v1/workspaces',
    {
      schema: { tags: ['Access'], summary: 'Create a workspace', body: WorkspaceBody, response: { 201: NewWorkspace } },
      bodyLimit: SMALL_BODY,
    },
    async (request, reply) => {
      const { name } = request.body
      const made = await store.createWorkspace({ id: newId(), name })
      if (made === 'exists')
        throw new MillraceError('workspace_exists', `There is already a workspace ${JSON.stringify(name)}.`)
      return reply.code(201).send(view(made))
    },
  )

  app.get(
    '/v1/workspaces',
    { schema: { tags: ['Access'], summary: 'List the workspaces', response: { 200: WorkspaceList } } },
    async () => ({ workspaces: (await store.listWorkspaces()).map(view) }),
  )
}

const view = ({ id, name, createdAt }: Workspace) => ({ workspace_id: id, name, created_at: toTimestamp(createdAt) })
