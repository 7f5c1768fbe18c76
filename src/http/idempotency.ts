import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { invalidField, MillraceError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { AnswerToKeep, IdempotencyKey, KeptAnswer, Store } from '../store/store.ts'
import type { App } from './app.ts'
import { tokenOf } from './auth/authenticate.ts'
import { openAnswer, sealAnswer } from './auth/sealed-answer.ts'
import { parseJson } from './bodies/json-body.ts'
import { pathOf } from './error-handler.ts'
import { PROBLEM_TYPE } from './problem.ts'

/** A request with a new `Idempotency-Key`, until its answer is stored. */
export type FirstCall = {
  readonly key: IdempotencyKey
  kept: boolean
  /** Its work, and its answer, may have been committed: whatever fails from now on, the key must not be released. */
  isBegun: boolean
  /** Renews the key while the call is worked on. */
  readonly renewing: NodeJS.Timeout
}

declare module 'fastify' {
  interface FastifyRequest {
    firstCall: FirstCall | null
    /** For uploads, whose bodies can be compared only after they have been read. */
    keptAnswer: KeptAnswer | null
  }
}

type Dependencies = { readonly store: Store; readonly logger: Logger; readonly publicUrl: string }

/** The key of an interrupted call is released a minute after its last renewal. */
const RENEW_MS = 20_000

const KEY = /^[\x21-\x7e]{1,255}$/

/**
 * `Idempotency-Key` on every POST (`api.md`, Conventions). The key is looked up before anything is validated. The first answer is stored for 24 hours, even if
 * it was a 4xx, unless it says when to try again. A submit or trigger stores its own answer with its jobs.
 */
export const keepAnswers = (app: App, { store, logger, publicUrl }: Dependencies): void => {
  app.decorateRequest('firstCall', null)
  app.decorateRequest('keptAnswer', null)

  app.addHook('preValidation', (request, reply, done) => {
    const header = request.headers['idempotency-key']
    if (header === undefined || request.method !== 'POST' || request.is404) done()
    else begin(request, reply, String(header)).then(answered => answered || done(), done)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    clearInterval(request.firstCall?.renewing)
    if (request.firstCall === null || request.firstCall.kept) done(null, payload)
    else keep(request, reply, payload).then(() => done(null, payload), done)
  })

  /** Returns true if the request has been answered. */
  const begin = async (request: FastifyRequest, reply: FastifyReply, text: string): Promise<boolean> => {
    if (!KEY.test(text))
      throw invalidField('Idempotency-Key', 'must be 1 to 255 printable ASCII characters without spaces')
    const key = { workspace: request.caller.workspace, method: 'POST', path: pathOf(request.url), key: text }
    const outcome = await store.beginIdempotent({ key, bodyHash: bodyHash(request) })
    if (outcome.type === 'mismatch') throw new MillraceError('idempotency_mismatch')
    if (outcome.type === 'in_progress') throw new MillraceError('idempotency_in_progress', undefined, { retryAfter: 1 })
    if (outcome.type === 'answered') return answerAgain(request, reply, { answer: outcome.answer, publicUrl })
    request.firstCall = { key, kept: false, isBegun: false, renewing: stayTaken(key) }
    if (request.rawBody) request.body = parseJson(request.rawBody)
    return false
  }

  /** An upload may take hours, and work goes on when its client has left. If it is sent again meanwhile, that must not count as a first call. */
  const stayTaken = (key: IdempotencyKey): NodeJS.Timeout => {
    const renew = () =>
      store.renewIdempotent({ key }).catch(err => logger.warn({ err }, 'an Idempotency-Key could not be renewed'))
    return setInterval(renew, RENEW_MS).unref()
  }

  const keep = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<void> => {
    const { key, isBegun } = request.firstCall!
    // A failed submit may still have been committed with its answer: then the key must not be released.
    if (reply.statusCode >= 500 && (isBegun || request.routeOptions.config.keepsAnswer)) return
    const { onlyReads } = request.routeOptions.config
    const isPassing = reply.statusCode >= 500 || reply.hasHeader('retry-after')
    const forget = isPassing || onlyReads || (isUpload(request) && reply.statusCode >= 400)
    const body = typeof payload === 'string' ? payload : ''
    const answer = forget
      ? null
      : { status: reply.statusCode, body: isSecret(request, reply) ? seal(request, body) : body }
    try {
      await store.finishIdempotent({ key, answer })
    } catch (error) {
      logger.error({ err: error, request_id: request.id }, 'the answer to an Idempotency-Key could not be kept')
    }
  }
  const seal = (request: FastifyRequest, body: string) => sealAnswer(body, tokenOf(request)!)
}

/** Pass the result to a submit, so that it stores its answer. */
export const keptWithSubmit = (
  { firstCall }: FastifyRequest,
  more?: AnswerToKeep['more'],
): { readonly idempotency?: AnswerToKeep } => {
  if (firstCall === null) return {}
  firstCall.isBegun = true
  return { idempotency: { key: firstCall.key, shape: 'single', ...(more && { more }) } }
}

/** Call it when the transaction that did the work has stored the answer. */
export const keptWithWork = ({ firstCall }: FastifyRequest): void => {
  if (firstCall) firstCall.kept = true
}

/** Hashes bytes and query. For an upload only the query: its content is compared when it is sent again. */
const bodyHash = (request: FastifyRequest): string => {
  const query = request.url.slice(pathOf(request.url).length)
  if (isUpload(request)) return hash('sha256', `upload\0${query}`)
  return hash('sha256', Buffer.concat([Buffer.from(`${query}\0`), request.rawBody ?? Buffer.alloc(0)]))
}

type Again = { readonly answer: KeptAnswer; readonly publicUrl: string }

/** The start of an answer for a new object. Its `Location` is not stored, but built again. */
const NEW_THING = /^\{"(job|run|workflow|datasource|pipe)_id":"((?:t_)?[0-9a-f-]{32,36})"/

const answerAgain = (request: FastifyRequest, reply: FastifyReply, { answer, publicUrl }: Again): boolean => {
  if (isUpload(request)) {
    request.keptAnswer = answer
    return false
  }
  const secret = answer.status < 400 && request.routeOptions.config.secretAnswer === true
  const body = secret ? openAnswer(answer.body, tokenOf(request)!) : answer.body
  if (body === null)
    throw new MillraceError(
      'idempotency_mismatch',
      'The answer holds a token and is given only to the token that asked.',
    )
  const made = answer.status === 201 ? NEW_THING.exec(body) : null
  if (made) reply.header('location', `${publicUrl}/v1/${made[1]}s/${made[2]}`)
  sendKept(reply, { status: answer.status, body })
  return true
}

/** Sends a stored answer again, marked as replayed. */
export const sendKept = (reply: FastifyReply, { status, body }: KeptAnswer): FastifyReply => {
  reply.header('idempotency-replayed', 'true').code(status)
  if (body === '') return reply.send()
  return reply.type(status >= 400 ? PROBLEM_TYPE : 'application/json; charset=utf-8').send(body)
}

const isUpload = (request: FastifyRequest): boolean => request.routeOptions.config.body !== undefined

const isSecret = (request: FastifyRequest, reply: FastifyReply): boolean =>
  reply.statusCode < 400 && request.routeOptions.config.secretAnswer === true
