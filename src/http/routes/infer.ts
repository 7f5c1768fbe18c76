import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { createInference, type Inferred, MOST_BYTES } from '../../executors/import/create/infer-content.ts'
import { ImportFailure } from '../../executors/import/import-failure.ts'
import type { ImportFields } from '../../executors/import/spec.ts'
import { ERRORS, type FailureReason, MillraceError, type RequestErrorCode } from '../../kernel/errors.ts'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { importBody } from '../bodies/import-body.ts'
import { bodyOf, inQuery, isMultipart } from '../bodies/receive-import.ts'
import { limitConcurrency } from '../concurrency-limit.ts'
import { InferAnswer, InferBody, InferQuery } from '../schemas/infer.ts'
import type { Services } from '../services.ts'
import { whenLeft } from '../when-left.ts'

/** The longest time until the answer, including transfers from another server. */
export const INFER_LONGEST_MS = 30_000

/** Previews what an import with `create` would create. The route has parsers of its own: a body that is not JSON is content. */
export const inferRoutes = async (root: App, services: Services, longestMs: number): Promise<void> => {
  await root.register(async (scope: App) => {
    scope.removeContentTypeParser('*')
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined))
    inferRoute(scope, services, longestMs)
  })
}

const inferRoute = (app: App, services: Services, longestMs: number): void => {
  const { config, data, uploads, engine } = services
  const infer = createInference({ ...config, data, uploads })
  const takePlace = limitConcurrency(config.maxWorkers, 'contents')
  app.post(
    '/v1/datasources/infer',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Preview the data source that an import would create',
        description: `The body is JSON with a URL, or the content itself with options as query parameters. Nothing is created or stored. It takes at most ${longestMs / 1000} seconds. CSV and NDJSON are examined up to the first MiB; Parquet may have ${MOST_BYTES / 1024 / 1024} MiB.`,
        consumes: ['application/json', 'application/octet-stream'],
        querystring: InferQuery,
        body: { content: { 'application/json': { schema: InferBody } } },
        response: { 200: InferAnswer },
      },
      config: { body: 'content', onlyReads: true },
    },
    async (request, reply) => {
      const asked = readRequest(request)
      const body = { import: { datasource: 'inferred', ...asked.fields } }
      inQuery(() => engine.check({ submitter: submitterOf(request), bodies: [body], path: '' }))
      using _place = takePlace()
      using leaving = whenLeft(request)
      const deadline = AbortSignal.timeout(longestMs)
      const signal = AbortSignal.any([leaving.signal, deadline])
      try {
        return view(await infer({ workspace: request.caller.workspace, signal, ...asked }))
      } catch (error) {
        throw deadline.aborted ? tooSlow(longestMs) : toRefusal(error)
      } finally {
        if (asked.content !== undefined) await drainRest(request, reply, deadline)
      }
    },
  )
}

type Asked = { readonly fields: Omit<ImportFields, 'datasource'>; readonly content?: AsyncIterable<Uint8Array> }

const readRequest = (request: FastifyRequest): Asked => {
  const { headers, body, query } = request
  if (/^application\/json\b/i.test(headers['content-type'] ?? '')) {
    if (body === undefined) throw new MillraceError('invalid_json', 'The request has no body.')
    if (Object.keys(query as object).length > 0)
      throw new MillraceError('invalid', 'With a JSON body, all options must be in the body, not in the query.')
    return { fields: body as Static<typeof InferBody> }
  }
  if (isMultipart(headers)) throw new MillraceError('unsupported_media_type', 'Send the content itself, or JSON.')
  const { import: fields } = importBody({
    datasource: 'inferred',
    url: 'upload:',
    query: query as Static<typeof InferQuery>,
    headers,
  })
  const { datasource: _, ...rest } = fields
  return { fields: rest as Asked['fields'], content: bodyOf(request) }
}

const view = ({ columns, format, header, delimiter, rows, bytesRead, isWhole }: Inferred) => ({
  schema: columns.map(({ name, type, jsonPath }) => ({ name, type, json_path: jsonPath })),
  engine: 'MergeTree',
  sorting_key: null,
  format,
  header,
  delimiter,
  rows: [...rows],
  bytes_read: bytesRead,
  whole: isWhole,
})

const tooSlow = (longestMs: number): MillraceError =>
  new MillraceError('content_too_slow', `The content did not arrive within ${longestMs / 1000} seconds.`)

const toRefusal = (error: unknown): unknown =>
  error instanceof ImportFailure && isRefusal(error.reason) ? new MillraceError(error.reason, error.message) : error

const isRefusal = (reason: FailureReason): reason is FailureReason & RequestErrorCode => 'http' in ERRORS[reason]

/** How much unexamined content is drained, so that a client that sends everything before it reads gets its answer. */
const MOST_LEFT_BYTES = 16 * 1024 * 1024

const drainRest = async ({ raw }: FastifyRequest, reply: FastifyReply, deadline: AbortSignal): Promise<void> => {
  let left = MOST_LEFT_BYTES
  const rest = Promise.withResolvers<void>()
  deadline.addEventListener('abort', () => rest.resolve(), { once: true })
  raw.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) rest.resolve()
  })
  for (const event of ['end', 'close', 'error']) raw.once(event, () => rest.resolve())
  if (!raw.readableEnded && !raw.destroyed && !deadline.aborted) await rest.promise
  // Unread, the rest would block the next request on the connection.
  if (!raw.readableEnded) reply.header('connection', 'close')
}
