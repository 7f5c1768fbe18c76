import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply } from 'fastify'
import { MillraceError } from '../kernel/errors.ts'
import { newId } from '../kernel/ids.ts'
import type { Access } from './auth/access.ts'
import { authenticate } from './auth/authenticate.ts'
import { createCallers } from './auth/callers.ts'
import { limitBodies } from './bodies/body-limit.ts'
import { readJsonBodies, requireBodies } from './bodies/json-body.ts'
import { limitConnections } from './connection-limit.ts'
import { tinybirdRoutes } from './dialects/tinybird/routes.ts'
import { answerUnreadable, handleErrors, sendProblem } from './error-handler.ts'
import { createMetrics } from './figures/metrics.ts'
import { keepAnswers } from './idempotency.ts'
import { createLiveStreams } from './live-streams.ts'
import { checkPaths } from './paths.ts'
import { limitPipelining } from './pipelining-limit.ts'
import { type QueryReaders, readQueries } from './query-parameters.ts'
import { openApiOptions } from './reference/open-api.ts'
import { analyticsRoutes } from './routes/analytics.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { cancelRoutes } from './routes/cancel.ts'
import { dataSourceRoutes } from './routes/datasources.ts'
import { deliveryRoutes } from './routes/deliveries.ts'
import { eventRoutes } from './routes/events.ts'
import { extendRoutes } from './routes/extend.ts'
import { healthRoutes } from './routes/health.ts'
import { importRoutes } from './routes/import.ts'
import { INFER_LONGEST_MS, inferRoutes } from './routes/infer.ts'
import { jobRoutes } from './routes/jobs.ts'
import { logRoutes } from './routes/logs.ts'
import { notificationRoutes } from './routes/notifications.ts'
import { pipeRoutes } from './routes/pipes.ts'
import { referenceRoutes } from './routes/reference.ts'
import { resultRoutes } from './routes/result.ts'
import { runCallRoutes } from './routes/run-calls.ts'
import { runRoutes } from './routes/runs.ts'
import { scheduleRoutes } from './routes/schedules.ts'
import { sqlRoutes } from './routes/sql.ts'
import { submitRoutes } from './routes/submit.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { workerRoutes } from './routes/workers.ts'
import { workflowCallRoutes } from './routes/workflow-calls.ts'
import { workflowHistoryRoutes } from './routes/workflow-history.ts'
import { workflowRoutes } from './routes/workflows.ts'
import { workspaceRoutes } from './routes/workspaces.ts'
import { secure, secureAnswers } from './security-headers.ts'
import type { Services } from './services.ts'
import { createSmallQueries } from './small-queries.ts'
import { createWorkspaceEvents } from './streams/workspace-events.ts'
import { validate } from './validation.ts'

/** A Fastify instance whose routes have the types of their schemas. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    query?: QueryReaders
    /** The type of body that the route accepts, if not JSON. */
    body?: 'multipart' | 'content'
    /** For the API description: media types of the response that no schema describes. */
    contentTypes?: readonly string[]
    /** The body is optional. */
    optionalBody?: true
    /** The transaction that does the work also stores the answer for its `Idempotency-Key`. */
    keepsAnswer?: true
    /** Repeating the call is harmless, so its answer is not stored for an `Idempotency-Key`. */
    onlyReads?: true
    /** The answer contains a new token. */
    secretAnswer?: true
  }
}

/** A connection that is idle for this long is closed. Longer than any answer may wait (`?wait=60`). */
const IDLE_CONNECTION_MS = 120_000

/** How long the API waits; defaults apply to absent fields. */
export type Patience = { readonly idleConnectionMs?: number; readonly inferMs?: number }

/** The HTTP API, not listening yet. This is its map: first what every request passes through, then the routes. */
export const createApp = async (
  services: Services,
  { idleConnectionMs = IDLE_CONNECTION_MS, inferMs = INFER_LONGEST_MS }: Patience = {},
): Promise<App> => {
  const { config, store, engine, clock, logger } = services
  const metrics = services.metrics ?? createMetrics()
  const app = createFastify(services, idleConnectionMs)

  limitConnections(app, services)
  limitPipelining(app)
  const refuseUnrouted = handleErrors(app, { logger })
  secureAnswers(app)
  readJsonBodies(app)
  readQueries(app)
  await app.register(swagger, openApiOptions(services))
  await app.register(websocket, { options: { maxPayload: 64 * 1024 } })
  metrics.observe(app)
  metrics.watch(store)
  const callers = createCallers({ store, jobTokens: engine.jobTokens, clock })
  const streams = createLiveStreams(app, { callers, logger, most: config.maxStreams })
  const queries = createSmallQueries(services)
  authenticate(app, { store, callers, publicUrl: config.publicUrl, stopping: services.stopping ?? null })
  limitBodies(app, config)
  keepAnswers(app, { store, logger, publicUrl: config.publicUrl })
  requireBodies(app)
  checkPaths(app)

  submitRoutes(app, services)
  jobRoutes(app, { ...services, streams })
  cancelRoutes(app, services)
  resultRoutes(app, services)
  extendRoutes(app, services)
  logRoutes(app, { ...services, streams })
  await artifactRoutes(app, services)
  workflowRoutes(app, services)
  workflowCallRoutes(app, services)
  workflowHistoryRoutes(app, services)
  scheduleRoutes(app, services)
  runRoutes(app, services)
  runCallRoutes(app, services)
  deliveryRoutes(app, services)
  notificationRoutes(app, services)
  analyticsRoutes(app, services)
  sqlRoutes(app, queries)
  dataSourceRoutes(app, services)
  await importRoutes(app, services)
  await inferRoutes(app, services, inferMs)
  pipeRoutes(app, services)
  eventRoutes(app, { ...services, streams, events: createWorkspaceEvents(app, services) })
  await tinybirdRoutes(app, { ...services, refuseUnrouted }, queries)
  workerRoutes(app, services)
  tokenRoutes(app, { ...services, callers, streams })
  workspaceRoutes(app, services)
  healthRoutes(app, { ...services, metrics })
  referenceRoutes(app, services)
  return app
}

const createFastify = ({ config }: Services, idleConnectionMs: number): App =>
  Fastify({
    logger: false,
    bodyLimit: config.maxBodyBytes,
    connectionTimeout: idleConnectionMs,
    genReqId: requestId,
    requestIdHeader: false,
    clientErrorHandler: answerUnreadable,
    // The router's own refusal, before any hook: the path has invalid percent-encoding.
    frameworkErrors: (_error, request, reply) => {
      const refusal = new MillraceError('bad_request', 'The path has invalid percent-encoding.')
      sendProblem(secure(reply as FastifyReply, request.id), refusal)
    },
    routerOptions: { maxParamLength: 16 * 1024 },
  })
    .withTypeProvider<TypeBoxTypeProvider>()
    .setValidatorCompiler(validate)

/** Keeps the caller's `X-Request-Id` if it is safe to log. */
const requestId = ({ headers }: IncomingMessage): string => {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : newId()
}
