import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import type { Kind } from '../../model/kind.ts'
import type { App } from '../app.ts'
import type { Caller } from '../auth/caller.ts'
import { chooseType } from '../content/accept.ts'
import { sendEmpty } from '../content/send-stream.ts'
import type { LiveStreams } from '../live-streams.ts'
import { type EventGroup, EventQuery } from '../schemas/event.ts'
import { PING_MS } from '../streams/channel.ts'
import { type EventStream, streamEvents } from '../streams/event-stream.ts'
import { takeOver } from '../streams/take-over.ts'
import type { WorkspaceEvent, WorkspaceEvents } from '../streams/workspace-events.ts'
import { viewEvent } from '../views/event-view.ts'

type Dependencies = { readonly events: WorkspaceEvents; readonly streams: LiveStreams }
type EventRequest = FastifyRequest<{ Querystring: Query }>
type Query = {
  readonly type?: readonly EventGroup[]
  readonly job_id?: string
  readonly run_id?: string
  readonly workflow_id?: string
  readonly kind?: readonly Kind[]
}

/** Status changes of the workspace's jobs and runs, and notifications: only live, over WebSocket or server-sent events. */
export const eventRoutes = (app: App, { events, streams }: Dependencies): void => {
  const stream = (request: EventRequest, to: EventStream['to']): Promise<void> => {
    const { caller, query } = request
    const subscribe: EventStream['subscribe'] = push =>
      events.subscribe(caller.workspace, event => {
        if (mayHear(event, caller) && isWanted(event, query)) push(viewEvent(event))
      })
    return streamEvents({ to, subscribe, pingMs: PING_MS })
  }

  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/v1/events',
    schema: {
      tags: ['Events'],
      summary: 'Stream changes of status',
      description:
        'A WebSocket, or Accept: text/event-stream. Messages are `{id, type, job_id, run_id, workflow_id, status, status_reason, timestamp}`, of type `job.<status>`, `run.<status>` or `notification.<type>` (with an additional `notification`). Earlier events are not sent. Runs and notifications need the scope `workflows:read`.',
      querystring: EventQuery,
    },
    config: { contentTypes: ['text/event-stream'] },
    /** Before a WebSocket is opened, so that a refusal is still an ordinary answer. */
    preHandler: async request => {
      if (request.ws) streams.add(request)
    },
    handler: async (request, reply) => {
      if (chooseType(request.headers.accept, ['text/event-stream']) === null)
        throw new MillraceError('not_acceptable', 'Events come by WebSocket or as text/event-stream.')
      if (request.method === 'HEAD') return sendEmpty(reply, 'text/event-stream; charset=utf-8')
      streams.add(request, reply.raw)
      await stream(request, { request: request.raw, response: takeOver(reply) })
    },
    wsHandler: (socket, request) => stream(request as EventRequest, { socket }),
  })
}

const isWanted = ({ group, event }: WorkspaceEvent, query: Query): boolean =>
  (query.type === undefined || query.type.includes(group)) &&
  (query.job_id === undefined || ('jobId' in event && event.jobId === query.job_id)) &&
  (query.run_id === undefined || event.runId === query.run_id) &&
  (query.workflow_id === undefined || event.workflowId === query.workflow_id) &&
  (query.kind === undefined || (group === 'job' && query.kind.includes(event.kind)))

/** Runs and notifications belong to workflows: callers who may not read those get only job events. */
const mayHear = ({ group }: WorkspaceEvent, { scopes }: Caller): boolean =>
  group === 'job' || scopes.includes('workflows:read')
