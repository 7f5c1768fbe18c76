import type { AddressRules } from '../../kernel/address-rules.ts'
import { FetchError } from '../../kernel/fetch-error.ts'
import type { Lookup } from '../../kernel/guarded-connect.ts'
import { createGuardedFetch, type GuardedFetch } from '../../kernel/guarded-fetch.ts'
import type { ClaimedJob } from '../../model/job.ts'
import { failed, type Outcome } from '../../model/outcome.ts'
import { putSecrets } from '../../model/secrets.ts'
import type { ExecutionContext, Executor } from '../executor.ts'
import { shownUrl } from '../shown-url.ts'
import { type Exchange, startExchange } from './exchange.ts'
import { type Answer, readAnswer } from './read-answer.ts'
import { expectedStatuses, type HttpSpec } from './spec.ts'

type Options = {
  readonly addressRules: AddressRules
  /** For tests. The system's resolver if absent. */
  readonly lookup?: Lookup
}

/** Sends one request per attempt through the guarded fetch: redirects are subject to the same address rules. */
export const createHttpExecutor = ({ addressRules, lookup }: Options): Executor => {
  const fetch = createGuardedFetch({ rules: addressRules, ...(lookup && { lookup }) })
  return {
    kind: 'http',
    lane: 'network',
    run: (job, context) => runAttempt(fetch, job, context),
  }
}

const runAttempt = async (fetch: GuardedFetch, job: ClaimedJob, context: ExecutionContext): Promise<Outcome> => {
  const { http } = JSON.parse(job.spec) as HttpSpec
  const expected = expectedStatuses(http)
  const exchange = startExchange(context.clock)
  try {
    const answer = await ask(fetch, { http, job, expected, context, exchange })
    const statistics = exchange.statistics(answer.elapsedMs)
    return { ...(await toOutcome(answer, expected, context)), statistics }
  } catch (error) {
    const statistics = exchange.statistics()
    if (context.stop.cause !== null) return { type: 'stopped', statistics }
    if (!(error instanceof FetchError)) throw error
    await context.log.note(`${http.method ?? 'GET'} ${shownUrl(http.url)}: ${error.message}`)
    return { ...failed(error.code, error.message), statistics }
  }
}

type Asking = {
  readonly http: HttpSpec['http']
  readonly job: ClaimedJob
  readonly expected: readonly number[]
  readonly context: ExecutionContext
  readonly exchange: Exchange
}

/** Limit for bytes received until the first 64 KiB of the body are available, and for the decompressed body. */
const MOST_BYTES = 1024 * 1024
const LONGEST_CONNECT_MS = 10_000
/** `maximumMs` of the definition. Only a fallback: the engine gives every attempt a timeout. */
const LONGEST_MS = 300_000

const ask = async (fetch: GuardedFetch, { http, job, expected, context, exchange }: Asking): Promise<Answer> => {
  const method = http.method ?? 'GET'
  const timeoutMs = job.timeoutMs ?? LONGEST_MS
  const response = await fetch({
    url: http.url,
    method,
    headers: { ...contentType(http.body), ...openHeaders(http, context) },
    ...(http.body !== undefined && { body: toText(http.body) }),
    maxBytes: MOST_BYTES,
    // Half of the attempt's time, so that an unreachable server (a system failure, not the user's) can be distinguished from a slow one. All other limits are
    // up to the engine's attempt clock, which aborts the signal.
    connectTimeoutMs: Math.min(LONGEST_CONNECT_MS, timeoutMs / 2),
    idleTimeoutMs: LONGEST_MS,
    // A user who expects a redirect status wants the redirect itself.
    ...(expected.some(status => status >= 300 && status < 400) && { maxRedirects: 0 }),
    signal: context.stop.signal,
  })
  const answer = await readAnswer(response, exchange)
  const end = shownUrl(response.url)
  const arrow = end === shownUrl(http.url) ? '' : ` → ${end}`
  const figures = `${answer.status} in ${answer.elapsedMs} ms, ${answer.isTruncated ? 'more than ' : ''}${answer.bytes} bytes`
  await context.log.note(`${method} ${shownUrl(http.url)}${arrow}: ${figures}`)
  return answer
}

const toText = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))

const contentType = (body: unknown): Record<string, string> =>
  typeof body === 'object' ? { 'content-type': 'application/json' } : {}

/** Lower-case names, so that the user's headers override ours. */
const openHeaders = ({ headers = {} }: HttpSpec['http'], { secrets }: ExecutionContext): Record<string, string> =>
  Object.fromEntries(
    Object.entries(putSecrets(headers, secrets, 'http.headers')).map(([name, value]) => [name.toLowerCase(), value]),
  )

const toOutcome = async (answer: Answer, expected: readonly number[], context: ExecutionContext): Promise<Outcome> => {
  const { status, elapsedMs, body, isTruncated } = answer
  if (!expected.includes(status)) {
    // A failed attempt has no result, so the body goes to the log.
    if (body !== '') await context.log.write('stdout', Buffer.from(body))
    return failed('unexpected_status', `Expected status ${expected.join(' or ')}, got ${status}.`)
  }
  // Mask the headers, since a server may echo what it was sent. The body is kept as it is.
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, context.mask(value)]))
  const content = JSON.stringify({ status, headers, elapsed_ms: elapsedMs, body, body_truncated: isTruncated })
  return {
    type: 'completed',
    result: await context.keepResult({ format: 'json', content }),
  }
}
