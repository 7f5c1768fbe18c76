import { createHash } from 'node:crypto'
import multipart from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import { findDataSource } from '../../model/catalogue-graph.ts'
import { singleAnswer } from '../../model/submit-answer.ts'
import type { KeptAnswer } from '../../store/store.ts'
import type { App } from '../app.ts'
import { submitterOf } from '../auth/submitter.ts'
import { sendKept } from '../idempotency.ts'
import { type ImportFields, importBody } from '../import-body.ts'
import { invalid } from '../problem.ts'
import { DataSourcePath } from '../schemas/data-source.ts'
import { ImportAnswer, ImportQuery } from '../schemas/import.ts'
import type { Services } from '../services.ts'
import { partsOf, unreadable } from '../upload.ts'

/** Content that is sent to become rows. Its parsers are of this route alone: here a body is bytes, whatever its type. */
export const importRoutes = async (root: App, services: Services): Promise<void> => {
  await root.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    await scope.register(multipart, {
      limits: { files: 2, parts: 2, fileSize: Number.POSITIVE_INFINITY, fields: 1, headerPairs: 50 },
    })
    importRoute(scope, services)
  })
}

const importRoute = (app: App, services: Services): void => {
  const receive = createReceiver(services)
  const locationOf = (jobId: string): string => `${services.config.publicUrl}/v1/jobs/${jobId}`
  app.post(
    '/v1/datasources/:datasource/import',
    {
      schema: {
        tags: ['Data sources'],
        summary: 'Put the rows of what is sent into a data source',
        description:
          'The body is the content itself, or multipart/form-data with one part `file`. It is kept whole before the job is made, whose rows become visible all at once or not at all.',
        consumes: ['application/octet-stream', 'multipart/form-data'],
        params: DataSourcePath,
        querystring: ImportQuery,
        response: { 201: ImportAnswer },
      },
      config: { body: 'content' },
    },
    async (request, reply) => {
      if (request.keptAnswer) {
        const { job_id } = await compareAgain(request, request.keptAnswer)
        return sendKept(reply.header('location', locationOf(job_id)), request.keptAnswer)
      }
      const answer = await receive(request, { name: request.params.datasource, query: request.query })
      return reply.code(201).header('location', locationOf(answer.job_id)).send(answer)
    },
  )
}

type Wanted = { readonly name: string; readonly query: ImportFields }

/** Of the right form, and no content's. */
const NOT_YET = `upload:${'0'.repeat(32)}.0.${'A'.repeat(43)}`

const createReceiver = ({ data, uploads, engine, config }: Services) => {
  const targetOf = async (workspace: string, { name, query }: Wanted): Promise<string> => {
    const found = findDataSource(await data.catalogue(workspace), name)
    if (found === undefined && query.create !== true)
      throw new MillraceError('not_found', `There is no data source ${name}.`)
    return found?.name ?? name
  }

  /** What can be refused is refused before gigabytes have come. */
  return async (request: FastifyRequest, wanted: Wanted) => {
    const submitter = submitterOf(request)
    const { workspace } = submitter
    const datasource = await targetOf(workspace, wanted)
    const bodyWith = (url: string) => importBody({ datasource, url, query: wanted.query, headers: request.headers })
    inQuery(() => engine.check({ submitter, bodies: [bodyWith(NOT_YET)], path: '' }))
    refuseTooLarge(request, config.maxUploadBytes)
    const { url, bytes, sha256 } = await take(request, content =>
      uploads.put({ workspace, content, maxBytes: config.maxUploadBytes }),
    )
    try {
      const [job] = await engine.submit({ submitter, bodies: [bodyWith(url)], path: '' })
      return { ...singleAnswer(job!), content: { bytes, sha256 } }
    } catch (error) {
      await uploads.remove({ workspace, url })
      throw error
    }
  }
}

/** Fields of the body are parameters of the query here. */
const inQuery = (check: () => void): void => {
  try {
    check()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'invalid') throw error
    throw invalid(error.errors.map(({ path, message }) => ({ path: path.replace(/^import\./, ''), message })))
  }
}

const refuseTooLarge = ({ headers }: FastifyRequest, most: number): void => {
  if (Number(headers['content-length'] ?? 0) > most && !isMultipart(headers))
    throw new MillraceError('too_large', `The content may have ${most} bytes (MILLRACE_MAX_UPLOAD_BYTES).`)
}

const isMultipart = (headers: FastifyRequest['headers']): boolean =>
  /^multipart\/form-data\b/i.test(headers['content-type'] ?? '')

/** Hands the content on as it comes, and hashes it. */
const take = async <T>(request: FastifyRequest, keep: (content: AsyncIterable<Uint8Array>) => Promise<T>) => {
  const hash = createHash('sha256')
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of contentOf(request)) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    const kept = await keep(hashed())
    return { ...kept, sha256: hash.digest('hex') }
  } finally {
    // The rest of what was refused: unread it would stand before the next request of the connection.
    request.raw.resume()
  }
}

async function* contentOf(request: FastifyRequest): AsyncGenerator<Uint8Array> {
  if (isMultipart(request.headers)) return yield* fileOf(request)
  try {
    // Whoever stops reading still owes an answer: the stream must not take its connection with it.
    yield* request.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  } catch {
    throw new MillraceError('bad_request', 'The body ends too early.')
  }
}

async function* fileOf(request: FastifyRequest): AsyncGenerator<Uint8Array> {
  let files = 0
  for await (const part of partsOf(request)) {
    if (part.type !== 'file' || part.fieldname !== 'file')
      throw invalid([{ path: part.fieldname, message: 'is not a known part: the content is sent as "file"' }])
    if (++files > 1) throw invalid([{ path: 'file', message: 'must be there once' }])
    try {
      yield* part.file as AsyncIterable<Uint8Array>
    } catch (error) {
      throw unreadable(error)
    }
  }
  if (files === 0) throw invalid([{ path: 'file', message: 'is required' }])
}

/** An upload with an `Idempotency-Key` that was answered before: the same content gets the same answer. Throws `idempotency_mismatch`. */
const compareAgain = async (request: FastifyRequest, kept: KeptAnswer): Promise<{ readonly job_id: string }> => {
  const answer = JSON.parse(kept.body) as { job_id: string; content: { sha256: string } }
  const { sha256 } = await take(request, async content => {
    for await (const _ of content);
    return {}
  })
  if (sha256 !== answer.content.sha256) throw new MillraceError('idempotency_mismatch')
  return answer
}
