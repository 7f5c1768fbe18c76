import type { FastifyRequest } from 'fastify'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { App } from '../app.ts'
import { ACCESS, type Access } from './access.ts'
import type { Caller } from './caller.ts'
import type { Callers } from './callers.ts'
import { checkOrigin } from './origin.ts'

type Dependencies = {
  readonly store: Store
  readonly callers: Callers
  readonly publicUrl: string
  /** `Services.stopping` */
  readonly stopping: AbortSignal | null
}

/**
 * The one hook that identifies the caller and checks its rights. Denies by default: a route without an entry in `ACCESS` fails at start, and every route that
 * is not public has a caller.
 */
export const authenticate = (app: App, { store, callers, publicUrl, stopping }: Dependencies): void => {
  declareAccess(app)

  app.addHook('onRequest', (request, _reply, done) => {
    const access = request.routeOptions.config.access
    if (access === undefined || access.scope === 'public') {
      done()
      return
    }
    const token = tokenOf(request)
    const caller = token === null ? null : callers.known(token)
    // Job tokens are never cached, so they always take the slow path.
    if (caller !== null && !request.ws) done(admit(request, { caller, access }) ?? refuseWhileStopping(request))
    else admitSlowly(request, { token, access }).then(() => done(), done)
  })

  // An unauthorized body without a declared length would be read to its end, which may never come.
  app.addHook('onSend', (request, reply, payload, done) => {
    const isOpen = request.headers['transfer-encoding'] !== undefined && !request.raw.complete
    if (isOpen && request.caller === undefined) reply.header('connection', 'close')
    done(null, payload)
  })

  /** Every other case, such as WebSockets and unknown tokens: it may have to ask the store. */
  const admitSlowly = async (request: FastifyRequest, { token, access }: { token: string | null; access: Access }) => {
    if (request.ws) checkOrigin(request, publicUrl)
    if (token === null) throw new MillraceError('unauthenticated', tokenFault(request))
    const caller = callers.known(token) ?? (await callers.find(token))
    if (caller === null)
      throw new MillraceError('unauthenticated', 'The token is not valid, or has expired or been deleted.')
    const refusal = admit(request, { caller, access }) ?? refuseWhileStopping(request)
    if (refusal) throw refusal
    if (caller.job) await checkFamily(request, { caller, access })
  }

  /** Running jobs may still need the API to finish. Other changes are not accepted while the server shuts down. */
  const refuseWhileStopping = ({ caller, method }: FastifyRequest): MillraceError | undefined =>
    !stopping?.aborted || caller.job !== null || method === 'GET' || method === 'HEAD'
      ? undefined
      : new MillraceError('unavailable', 'The server is stopping and accepts nothing new.', { retryAfter: 5 })

  /** A job's own token can access the job itself and, if the route allows it, the job's children. For all others it gets `not_found`. */
  const checkFamily = async (request: FastifyRequest, { caller, access }: { caller: Caller; access: Access }) => {
    const asked = (request.params as { job_id?: string }).job_id
    if (asked === undefined || asked === caller.job?.jobId) return
    const job = access.job === 'family' ? await store.getJob({ workspace: caller.workspace, jobId: asked }) : null
    if (job?.parentJobId !== caller.job?.jobId) throw noSuchJob(asked)
  }
}

/** Sets the caller, or returns why it is refused. */
const admit = (
  request: FastifyRequest,
  { caller, access }: { caller: Caller; access: Access },
): MillraceError | undefined => {
  if (caller.job ? access.job === undefined : !mayCall(caller, access)) return refusal(caller, access)
  request.caller = caller
  return undefined
}

const mayCall = ({ scopes }: Caller, { scope }: Access): boolean =>
  scope === 'run' ? scopes.some(held => held.startsWith('jobs:run:')) : scopes.some(held => held === scope)

const refusal = (caller: Caller, { scope }: Access): MillraceError => {
  const lacking = scope === 'run' ? 'jobs:run:<kind>' : scope
  const whose = caller.job ? "A job's own token" : 'The token'
  return new MillraceError('forbidden', `${whose} lacks the scope ${lacking}.`)
}

/** The caller's token: from `Authorization: Bearer`, `x-api-key`, or `?token=` for WebSocket and SSE, where browsers cannot send headers. */
export const tokenOf = (request: FastifyRequest): string | null => {
  const { authorization, 'x-api-key': key } = request.headers
  if (authorization !== undefined) {
    const space = authorization.indexOf(' ')
    if (space !== 6 || authorization.slice(0, 6).toLowerCase() !== 'bearer') return null
    return authorization.slice(7).trim() || null
  }
  if (typeof key === 'string' && key !== '') return key
  const { token } = request.query as { token?: unknown }
  return isStream(request) && typeof token === 'string' && token !== '' ? token : null
}

/** Why a request has no token that `tokenOf` reads. */
const tokenFault = ({ headers, query }: FastifyRequest): string => {
  if (headers.authorization !== undefined) return 'Authorization must be Bearer <token>.'
  if ((query as { token?: unknown }).token === undefined) return 'The request has no token.'
  return 'A token in the address (?token=) is only for streams: proxies log addresses. Send it in a header.'
}

const isStream = (request: FastifyRequest): boolean =>
  request.ws || (request.headers.accept ?? '').includes('text/event-stream')

const declareAccess = (app: App): void => {
  const declared = new Set<string>()
  app.addHook('onRoute', route => {
    for (const method of [route.method].flat()) {
      const name = `${method === 'HEAD' ? 'GET' : method} ${route.url}`
      const access = ACCESS[name]
      if (access === undefined) throw new Error(`The route ${name} has no line in src/http/auth/access.ts.`)
      declared.add(name)
      route.config = { ...route.config, access }
    }
  })
  app.addHook('onReady', async () => {
    const idle = Object.keys(ACCESS).filter(name => !declared.has(name))
    if (idle.length > 0) throw new Error(`src/http/auth/access.ts has lines without a route: ${idle.join(', ')}.`)
  })
}
