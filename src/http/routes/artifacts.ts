import multipart from '@fastify/multipart'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import { viewArtifact } from '../../model/job-view.ts'
import type { App } from '../app.ts'
import { createUpload, MOST_FILES, partLimits } from '../bodies/upload.ts'
import { CONDITIONS, REDIRECT_MS, sendContent } from '../content/send-content.ts'
import { ArtifactList, ArtifactPath } from '../schemas/artifact.ts'
import { DownloadQuery, JobPath } from '../schemas/basics.ts'
import type { Services } from '../services.ts'

/** Files produced by jobs. The upload parser is registered only for these routes, because its hooks slow down every request. */
export const artifactRoutes = async (root: App, services: Services): Promise<void> => {
  await root.register(async (scope: App) => {
    await scope.register(multipart, { preservePath: true, limits: partLimits(MOST_FILES) })
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
        description: `multipart/form-data with 1 to ${MOST_FILES} parts named \`file\`. Either all files are added or none.`,
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

const readRoutes = (app: App, { store, blobs, clock }: Services): void => {
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
        description: `The ETag is the SHA-256 of the content. ${CONDITIONS}`,
        params: ArtifactPath,
        querystring: DownloadQuery,
      },
      config: { contentTypes: ['*/*'] },
    },
    async (request, reply) => {
      const { job_id: jobId, artifact_id: artifactId } = request.params
      const found = await store.getArtifact({ workspace: request.caller.workspace, jobId, artifactId })
      if (found === null) throw new MillraceError('not_found', `There is no artifact ${artifactId} of job ${jobId}.`)
      const { artifact, blobKey } = found
      return sendContent(
        { request, reply },
        {
          sha256: artifact.sha256,
          bytes: artifact.size,
          modifiedAt: artifact.createdAt,
          type: artifact.contentType,
          filename: artifact.name,
          open: range => blobs.get(blobKey, { ...range, size: artifact.size }),
          presign: request.query.redirect
            ? method =>
                blobs.presign(blobKey, {
                  method,
                  expiresAt: clock.now() + REDIRECT_MS,
                  filename: artifact.name,
                  contentType: artifact.contentType,
                })
            : null,
        },
      )
    },
  )
}
