import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toTimestamp } from '../../kernel/clock.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { downloadNdjson, downloadText } from '../../logs/download.ts'
import type { LogQuery as LogFilters } from '../../logs/job-logs.ts'
import type { LogLine, LogStream } from '../../model/log-line.ts'
import { chooseType } from '../accept.ts'
import type { App } from '../app.ts'
import type { LiveStreams } from '../live-streams.ts'
import { noSuchJob } from '../paths.ts'
import { JobPath } from '../schemas/basics.ts'
import { LogPage, LogQuery } from '../schemas/log.ts'
import { sendStream } from '../send-stream.ts'
import type { Services } from '../services.ts'
import { followOverSse } from '../streams/log-events.ts'
import { followOverWebSocket } from '../streams/log-socket.ts'

/** The forms of a log, the default first. */
const FORMS = ['application/json', 'text/plain', 'application/x-ndjson', 'text/event-stream'] as const
const PAGE_LINES = 1000
const PING_MS = 15_000

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

/** A job's log: as a page, as a download, or as a stream that goes on while the job does. */
export const logRoutes = (app: App, services: Dependencies): void => {
  const { store, logs, streams } = services

  app.route<{ Params: { job_id: string }; Querystring: Query }>({
    method: 'GET',
    url: '/v1/jobs/:job_id/logs',
    schema: {
      tags: ['Logs'],
      summary: 'The log of a job',
      description:
        'JSON gives a page. Accept: text/plain or application/x-ndjson downloads all. A WebSocket or Accept: text/event-stream gives what there is from ?from=, then what comes, and ends with the job.',
      params: JobPath,
      querystring: LogQuery,
      response: { 200: LogPage },
    },
    /** Before a WebSocket is opened: what does not exist is still an ordinary 404. */
    preHandler: async request => {
      const { workspace } = request.caller
      const { job_id: jobId } = request.params
      if (request.ws && (await store.getJob({ workspace, jobId })) === null) throw noSuchJob(jobId)
    },
    handler: async (request, reply) => {
      const form = chooseType(request.headers.accept, FORMS)
      if (form === null) throw new MillraceError('not_acceptable', `The log comes as ${FORMS.join(', ')}.`)
      reply.header('vary', 'accept')
      if (form === 'application/json') return sendPage(services, request)
      await requireJob(services, request)
      if (form === 'text/event-stream') return sendEvents(services, request, reply)
      const download = form === 'text/plain' ? downloadText : downloadNdjson
      reply.type(`${form}; charset=utf-8`)
      return sendStream({ request, reply, open: async () => Readable.from(download(logs, selectionOf(request))) })
    },
    wsHandler: (socket, request) => {
      streams.add(request)
      return followOverWebSocket({ socket, logs, ...followingOf(request as LogRequest) })
    },
  })
}

const requireJob = async ({ store }: Services, { caller, params }: LogRequest): Promise<void> => {
  const job = await store.getJob({ workspace: caller.workspace, jobId: params.job_id })
  if (job === null) throw noSuchJob(params.job_id)
}

const sendPage = async ({ logs }: Services, request: LogRequest) => {
  const { after = 0, limit = PAGE_LINES, tail } = request.query
  const page = await logs.page({ ...filtersOf(request), after, limit, ...(tail !== undefined && { tail }) })
  if (page === null) throw noSuchJob(request.params.job_id)
  if (page.purged) throw new MillraceError('gone', 'The log has been removed by retention.')
  return { lines: page.lines.map(viewLine), next_after: page.nextAfter }
}

const viewLine = ({ seq, attempt, stream, timestamp, line }: LogLine) => ({
  seq,
  attempt,
  stream,
  timestamp: toTimestamp(timestamp),
  line,
})

const sendEvents = async (services: Dependencies, request: LogRequest, reply: FastifyReply): Promise<FastifyReply> => {
  services.streams.add(request)
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string)
  const following = followingOf(request)
  await followOverSse({ response: reply.raw, request: request.raw, logs: services.logs, ...following })
  return reply
}

const filtersOf = ({ caller, params, query }: LogRequest): LogFilters => ({
  workspace: caller.workspace,
  jobId: params.job_id,
  ...(query.stream && { stream: query.stream }),
  ...(query.attempt !== undefined && { attempt: query.attempt }),
  ...(query.q !== undefined && { q: query.q }),
})

const selectionOf = (request: LogRequest) => filtersOf(request)

const followingOf = ({ caller, params, query }: LogRequest) => ({
  workspace: caller.workspace,
  jobId: params.job_id,
  fromSeq: query.from ?? 1,
  batch: query.batch ?? false,
  pingMs: PING_MS,
})
