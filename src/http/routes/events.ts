import type { FastifyRequest } from 'fastify'
import { toTimestamp } from '../../kernel/clock.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import type { JobEvent } from '../../model/job.ts'
import type { Kind } from '../../model/kind.ts'
import { chooseType } from '../accept.ts'
import type { App } from '../app.ts'
import type { LiveStreams } from '../live-streams.ts'
import { EventQuery } from '../schemas/event.ts'
import { sendEmpty } from '../send-stream.ts'
import type { Services } from '../services.ts'
import { type EventStream, streamEvents } from '../streams/event-stream.ts'

const PING_MS = 15_000

type Dependencies = Services & { readonly streams: LiveStreams }
type EventRequest = FastifyRequest<{ Querystring: Query }>
type Query = { readonly job_id?: string; readonly workflow_id?: string; readonly kind?: readonly Kind[] }

/** Changes of status of the workspace's jobs, live only, by WebSocket or server-sent events. */
export const eventRoutes = (app: App, { engine, streams }: Dependencies): void => {
  const stream = (request: EventRequest, to: EventStream['to']): Promise<void> => {
    streams.add(request)
    const { caller, query } = request
    const subscribe: EventStream['subscribe'] = push =>
      engine.events.subscribe(caller.workspace, event => {
        if (isWanted(event, query)) push(viewEvent(event))
      })
    return streamEvents({ to, subscribe, pingMs: PING_MS })
  }

  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/v1/events',
    schema: {
      tags: ['Events'],
      summary: 'Changes of status as they happen',
      description:
        'A WebSocket, or Accept: text/event-stream. Messages `{id, type, job_id, run_id, workflow_id, status, status_reason, timestamp}`. What happened before is not told.',
      querystring: EventQuery,
    },
    handler: async (request, reply) => {
      if (chooseType(request.headers.accept, ['text/event-stream']) === null)
        throw new MillraceError('not_acceptable', 'Events come by WebSocket or as text/event-stream.')
      if (request.method === 'HEAD') return sendEmpty(reply, 'text/event-stream; charset=utf-8')
      reply.hijack()
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string)
      await stream(request, { request: request.raw, response: reply.raw })
    },
    wsHandler: (socket, request) => stream(request as EventRequest, { socket }),
  })
}

const isWanted = (event: JobEvent, query: Query): boolean =>
  (query.job_id === undefined || event.jobId === query.job_id) &&
  (query.workflow_id === undefined || event.workflowId === query.workflow_id) &&
  (query.kind === undefined || query.kind.includes(event.kind))

type EventView = ReturnType<typeof makeView>
/** All who listen get one event with one id. */
const views = new WeakMap<JobEvent, EventView>()

const viewEvent = (event: JobEvent): EventView => {
  const known = views.get(event)
  if (known) return known
  const view = makeView(event)
  views.set(event, view)
  return view
}

const makeView = (event: JobEvent) => ({
  id: newId(),
  type: `job.${event.status}`,
  job_id: event.jobId,
  run_id: event.runId,
  workflow_id: event.workflowId,
  status: event.status,
  status_reason: event.statusReason,
  timestamp: toTimestamp(event.timestamp),
})
