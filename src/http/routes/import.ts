import multipart from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import { findDataSource } from '../../model/catalogue-graph.ts'
import { singleAnswer } from '../../model/submit-answer.ts'
import type { KeptAnswer } from '../../store/store.ts'
import type { App } from '../app.ts'
import { type ImportFields, importBody } from '../bodies/import-body.ts'
import { createImportReceiver, takeContent } from '../bodies/receive-import.ts'
import { partLimits } from '../bodies/upload.ts'
import { keptWithWork, sendKept } from '../idempotency.ts'
import { DataSourcePath } from '../schemas/data-source.ts'
import { ImportAnswer, ImportQuery } from '../schemas/import.ts'
import type { Services } from '../services.ts'

/** Imports content sent in the request. The route has parsers of its own: a body is bytes, whatever its type. */
export const importRoutes = async (root: App, services: Services): Promise<void> => {
  await root.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    // Two, so that a second part is refused by name.
    await scope.register(multipart, { limits: partLimits(2) })
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
        summary: 'Import the content of the request into a data source',
        description:
          'The body is the content itself, or multipart/form-data with one part `file`. It is stored completely before the job is created. The rows become visible all at once or not at all.',
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
      keptWithWork(request)
      return reply.code(201).header('location', locationOf(answer.job_id)).send(answer)
    },
  )
}

type Wanted = { readonly name: string; readonly query: ImportFields }

const createReceiver = (services: Services) => {
  const receive = createImportReceiver(services)
  const targetOf = async (workspace: string, { name, query }: Wanted): Promise<string> => {
    const found = findDataSource(await services.data.catalogue(workspace), name)
    if (found === undefined && query.create !== true)
      throw new MillraceError('not_found', `There is no data source ${name}: create it first, or import with create.`)
    return found?.name ?? name
  }

  return async (request: FastifyRequest, wanted: Wanted) => {
    const datasource = await targetOf(request.caller.workspace, wanted)
    const { job, bytes, sha256 } = await receive(request, {
      parts: PARTS,
      bodyWith: (url, part) => importBody({ datasource, url, query: wanted.query, headers: request.headers, part }),
    })
    return { ...singleAnswer(job), content: { bytes, sha256 } }
  }
}

const PARTS = ['file'] as const

/** Checks a repeated upload with an `Idempotency-Key`: the same content gets the same answer. Throws `idempotency_mismatch`. */
const compareAgain = async (request: FastifyRequest, kept: KeptAnswer): Promise<{ readonly job_id: string }> => {
  const answer = JSON.parse(kept.body) as { job_id: string; content: { sha256: string } }
  const { sha256 } = await takeContent(request, PARTS, async content => {
    for await (const _ of content);
    return {}
  })
  if (sha256 !== answer.content.sha256) throw new MillraceError('idempotency_mismatch')
  return answer
}
