import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { noSuchJob } from '../../engine/not-found.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { invalidField, MillraceError, refuseFields } from '../../kernel/errors.ts'
import type { LogQuery as LogFilters } from '../../logs/job-logs.ts'
import type { LogLine, LogStream } from '../../model/log-line.ts'
import type { App } from '../app.ts'
import { chooseType } from '../content/accept.ts'
import { sendEmpty, sendStream } from '../content/send-stream.ts'
import type { LiveStreams } from '../live-streams.ts'
import { JobPath } from '../schemas/basics.ts'
import { LogPage, LogQuery } from '../schemas/log.ts'
import type { Services } from '../services.ts'
import { PING_MS } from '../streams/channel.ts'
import { followOverSse } from '../streams/log-events.ts'
import { followOverWebSocket } from '../streams/log-socket.ts'
import { takeOver } from '../streams/take-over.ts'

/** The media types of a log, the default first. */
const FORMS = ['application/json', 'text/plain', 'application/x-ndjson', 'text/event-stream'] as const
const PAGE_LINES = 1000

type Dependencies = Services & { readonly streams: LiveStreams }
type LogRequest = FastifyRequest<{ Params: { job_id: string }; Querystring: Query }>
type Query = {
  readonly stream?: LogStream
  readonly attempt?: number
  readonly q?: string
  readonly after?: number
  readonly limit?: number
  readonly tail?: number
  readonly from?: number
  readonly batch?: boolean
}

/** A job's log: as a page, as a download, or as a live stream while the job runs. */
export const logRoutes = (app: App, services: Dependencies): void => {
  const { logs, streams } = services

  app.route<{ Params: { job_id: string }; Querystring: Query }>({
    method: 'GET',
    url: '/v1/jobs/:job_id/logs',
    schema: {
      tags: ['Logs'],
      summary: 'The log of a job',
      description:
        'JSON is one page. Accept: text/plain or application/x-ndjson downloads the whole log. A WebSocket or Accept: text/event-stream streams the lines from ?from= and new ones, until the job ends.',
      params: JobPath,
      querystring: LogQuery,
      response: { 200: LogPage },
    },
    config: { contentTypes: FORMS.slice(1) },
    /** Before a WebSocket is opened, so that a refusal is still an ordinary answer. */
    preHandler: async request => {
      if (!request.ws) return
      requireFit(request.query, 'text/event-stream')
      await requireLog(services, request)
      streams.add(request)
    },
    handler: async (request, reply) => {
      const form = chooseType(request.headers.accept, FORMS)
      if (form === null) throw new MillraceError('not_acceptable', `The log comes as ${FORMS.join(', ')}.`)
      reply.header('vary', 'accept')
      requireFit(request.query, form)
      if (form === 'application/json') return sendPage(services, request)
      await requireLog(services, request)
      if (form === 'text/event-stream' && request.method === 'HEAD') return sendEmpty(reply, `${form}; charset=utf-8`)
      if (form === 'text/event-stream') return sendEvents(services, { request, reply })
      reply.type(`${form}; charset=utf-8`)
      const format = form === 'text/plain' ? 'text' : 'ndjson'
      return sendStream({
        request,
        reply,
        open: async () => toStream(await logs.download({ ...filtersOf(request), format })),
      })
    },
    wsHandler: (socket, request) => followOverWebSocket({ socket, logs, ...followingOf(request as LogRequest) }),
  })
}

/** The parameters for each form; others are refused rather than silently ignored. */
const PARAMETERS: Readonly<Record<(typeof FORMS)[number], readonly string[]>> = {
  'application/json': ['after', 'limit', 'tail', 'stream', 'attempt', 'q'],
  'text/plain': ['stream', 'attempt', 'q'],
  'application/x-ndjson': ['stream', 'attempt', 'q'],
  'text/event-stream': ['from', 'batch', 'token'],
}

const requireFit = (query: Query, form: (typeof FORMS)[number]): void => {
  const misfits = Object.keys(query).filter(name => !PARAMETERS[form].includes(name))
  const message = form === 'text/event-stream' ? 'is not for streams' : `is not for ${form}`
  refuseFields(misfits.map(path => ({ path, message })))
  const other = query.tail !== undefined && (['limit', 'after'] as const).find(name => query[name] !== undefined)
  if (other) throw invalidField(other, 'cannot be combined with tail')
}

const requireLog = async ({ store }: Services, { caller, params }: LogRequest): Promise<void> => {
  const { workspace } = caller
  const log = await store.listLogParts({ workspace, jobId: params.job_id, fromSeq: 1, limit: 1 })
  if (log === null) throw noSuchJob(params.job_id)
  if (log.purged) throw removed()
}

const removed = (): MillraceError => new MillraceError('gone', 'The log has been removed by retention.')

const toStream = (content: AsyncIterable<Uint8Array> | null): Readable | null => content && Readable.from(content)

const sendPage = async ({ logs }: Services, request: LogRequest) => {
  const { after = 0, limit = PAGE_LINES, tail } = request.query
  const page = await logs.page({ ...filtersOf(request), after, limit, ...(tail !== undefined && { tail }) })
  if (page === null) throw noSuchJob(request.params.job_id)
  if (page.purged) throw removed()
  return { lines: page.lines.map(viewLine), next_after: page.nextAfter }
}

const viewLine = ({ seq, attempt, stream, timestamp, line, continues }: LogLine) => ({
  seq,
  attempt,
  stream,
  timestamp: toTimestamp(timestamp),
  line,
  ...(continues && { continues }),
})

type Exchange = { readonly request: LogRequest; readonly reply: FastifyReply }

const sendEvents = async (services: Dependencies, { request, reply }: Exchange): Promise<FastifyReply> => {
  services.streams.add(request, reply.raw)
  const following = followingOf(request)
  await followOverSse({ response: takeOver(reply), request: request.raw, logs: services.logs, ...following })
  return reply
}

const filtersOf = ({ caller, params, query }: LogRequest): LogFilters => ({
  workspace: caller.workspace,
  jobId: params.job_id,
  ...(query.stream && { stream: query.stream }),
  ...(query.attempt !== undefined && { attempt: query.attempt }),
  ...(query.q !== undefined && { q: query.q }),
})

const followingOf = ({ caller, params, query }: LogRequest) => ({
  workspace: caller.workspace,
  jobId: params.job_id,
  fromSeq: query.from ?? 1,
  batch: query.batch ?? false,
  pingMs: PING_MS,
})
