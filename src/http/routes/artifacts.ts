import multipart from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MillraceError } from '../../kernel/errors.ts'
import type { Artifact } from '../../model/job.ts'
import { viewArtifact } from '../../model/job-view.ts'
import type { App } from '../app.ts'
import { attachment } from '../content-disposition.ts'
import { noSuchJob } from '../paths.ts'
import { matchesTag, parseRange, rangeAllowed } from '../range.ts'
import { ArtifactList, ArtifactPath } from '../schemas/artifact.ts'
import { JobPath } from '../schemas/basics.ts'
import { sendStream } from '../send-stream.ts'
import type { Services } from '../services.ts'
import { createUpload, MOST_FILES } from '../upload.ts'

/** Files that jobs leave behind. The upload parser is registered for these routes alone: its hooks cost every request. */
export const artifactRoutes = async (root: App, services: Services): Promise<void> => {
  await root.register(async (scope: App) => {
    await scope.register(multipart, {
      preservePath: true,
      limits: { files: MOST_FILES, parts: MOST_FILES, fileSize: Number.POSITIVE_INFINITY, fields: 1, headerPairs: 50 },
    })
    uploadRoute(scope, services)
    readRoutes(scope, services)
  })
}

const uploadRoute = (app: App, services: Services): void => {
  const upload = createUpload(services)
  app.post(
    '/v1/jobs/:job_id/artifacts',
    {
      schema: {
        tags: ['Artifacts'],
        summary: 'Upload artifacts',
        description: `multipart/form-data with one or more parts \`file\`, at most ${MOST_FILES}: all or none become visible.`,
        consumes: ['multipart/form-data'],
        params: JobPath,
        response: { 201: ArtifactList },
      },
      config: { body: 'multipart' },
    },
    async (request, reply) => {
      if (!request.isMultipart())
        throw new MillraceError('unsupported_media_type', 'Send Content-Type: multipart/form-data.')
      await upload(request, reply)
      return reply
    },
  )
}

const readRoutes = (app: App, { store, blobs }: Services): void => {
  app.get(
    '/v1/jobs/:job_id/artifacts',
    {
      schema: {
        tags: ['Artifacts'],
        summary: 'List the artifacts of a job',
        params: JobPath,
        response: { 200: ArtifactList },
      },
    },
    async request => {
      const jobId = request.params.job_id
      const artifacts = await store.listArtifacts({ workspace: request.caller.workspace, jobId })
      if (artifacts === null) throw noSuchJob(jobId)
      return { artifacts: artifacts.map(viewArtifact) }
    },
  )

  app.get(
    '/v1/jobs/:job_id/artifacts/:artifact_id',
    {
      schema: {
        tags: ['Artifacts'],
        summary: 'Download an artifact',
        description: 'The ETag is the SHA-256 of the content. Takes Range, If-Range and If-None-Match.',
        params: ArtifactPath,
      },
    },
    async (request, reply) => {
      const { job_id: jobId, artifact_id: artifactId } = request.params
      const found = await store.getArtifact({ workspace: request.caller.workspace, jobId, artifactId })
      if (found === null) throw new MillraceError('not_found', `There is no artifact ${artifactId} of job ${jobId}.`)
      return download({ blobs, request, reply, ...found })
    },
  )
}

type Download = Pick<Services, 'blobs'> & {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly artifact: Artifact
  readonly blobKey: string
}

const download = ({ blobs, request, reply, artifact, blobKey }: Download): FastifyReply | Promise<FastifyReply> => {
  const { headers } = request
  const tag = `"${artifact.sha256}"`
  reply.header('etag', tag).header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
  if (matchesTag(headers['if-none-match'], tag)) return reply.code(304).send()
  const wanted = request.method === 'GET' && rangeAllowed(headers['if-range'], tag) ? headers.range : undefined
  const range = parseRange(wanted, artifact.size)
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${artifact.size}`)
    throw new MillraceError('range_not_satisfiable', `The artifact has ${artifact.size} bytes.`)
  }
  const length = range ? range.end - range.start + 1 : artifact.size
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${artifact.size}`)
  reply.type(artifact.contentType).header('content-length', length)
  reply.header('content-disposition', attachment(artifact.name))
  return sendStream({ request, reply, open: () => blobs.get(blobKey, range ?? undefined) })
}
