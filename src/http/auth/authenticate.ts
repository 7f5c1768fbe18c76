import type { FastifyRequest } from 'fastify'
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
 * The one hook that decides who calls and whether they may. Denies by default: a route without a line in `ACCESS` fails
 * at start, and a caller is set for every route that is not public.
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
    // The tokens of jobs are never among the known: they are looked at each time.
    if (caller !== null && !request.ws) done(admit(request, { caller, access }) ?? refuseWhileStopping(request))
    else admitSlowly(request, { token, access }).then(() => done(), done)
  })

  // A body of no length would be read to its end, which need not come, for somebody who has no right to send one.
  app.addHook('onSend', (request, reply, payload, done) => {
    const isOpen = request.headers['transfer-encoding'] !== undefined && !request.raw.complete
    if (isOpen && request.caller === undefined) reply.header('connection', 'close')
    done(null, payload)
  })

  /** All but the well-known token of an ordinary request: what may have to ask the store. */
  const admitSlowly = async (request: FastifyRequest, { token, access }: { token: string | null; access: Access }) => {
    if (request.ws) checkOrigin(request, publicUrl)
    if (token === null) throw new MillraceError('unauthenticated', 'The request has no token.')
    const caller = callers.known(token) ?? (await callers.find(token))
    if (caller === null) throw new MillraceError('unauthenticated', 'The token is not valid, or no longer.')
    const refusal = admit(request, { caller, access }) ?? refuseWhileStopping(request)
    if (refusal) throw refusal
    if (caller.job) await checkFamily(request, { caller, access })
  }

  /** Running jobs may still need the API to end well; nobody else is told yes while the rest goes down. */
  const refuseWhileStopping = ({ caller, method }: FastifyRequest): MillraceError | undefined =>
    !stopping?.aborted || caller.job !== null || method === 'GET' || method === 'HEAD'
      ? undefined
      : new MillraceError('unavailable', 'The server is stopping: it takes nothing new.', { retryAfter: 5 })

  /** A job's own token reaches the job itself and, where the route says so, its children. Others do not exist. */
  const checkFamily = async (request: FastifyRequest, { caller, access }: { caller: Caller; access: Access }) => {
    const asked = (request.params as { job_id?: string }).job_id
    if (asked === undefined || asked === caller.job?.jobId) return
    const job = access.job === 'family' ? await store.getJob({ workspace: caller.workspace, jobId: asked }) : null
    if (job?.parentJobId !== caller.job?.jobId) throw new MillraceError('not_found', `There is no job ${asked}.`)
  }
}

/** Sets the caller, or says why it may not. */
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

/** The text of the caller's token: `Authorization: Bearer`, `x-api-key`, or `?token=` where a browser can send no header: WebSocket and SSE. */
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
