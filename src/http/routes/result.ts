import { Readable } from 'node:stream'
import type { BlobStore } from '../../blobs/blob-store.ts'
import { noSuchJob } from '../../engine/not-found.ts'
import { MillraceError } from '../../kernel/errors.ts'
import type { StoredResult } from '../../store/store.ts'
import type { App } from '../app.ts'
import type { ByteRange } from '../content/range.ts'
import { RESULT_FILES } from '../content/result-files.ts'
import { CONDITIONS, REDIRECT_MS, sendContent } from '../content/send-content.ts'
import { DownloadQuery, JobPath } from '../schemas/basics.ts'
import type { Services } from '../services.ts'

/** The output of a job. */
export const resultRoutes = (app: App, { store, blobs, clock }: Services): void => {
  app.get(
    '/v1/jobs/:job_id/result',
    {
      schema: {
        tags: ['Jobs'],
        summary: 'The result of a job',
        description: `In the format that the job says. The ETag is the SHA-256 of the content. ${CONDITIONS}`,
        params: JobPath,
        querystring: DownloadQuery,
      },
      config: { contentTypes: ['*/*'] },
    },
    async (request, reply) => {
      const jobId = request.params.job_id
      const result = await store.getResult({ workspace: request.caller.workspace, jobId })
      if (typeof result === 'string') throw refusalOf(result, jobId)
      const { type, extension } = RESULT_FILES[result.format]
      const filename = `${jobId}.${extension}`
      return sendContent(
        { request, reply },
        {
          sha256: result.sha256,
          bytes: result.bytes,
          modifiedAt: result.storedAt,
          type,
          filename,
          open: range => open(blobs, result, range),
          presign: request.query.redirect
            ? method =>
                presign(blobs, result.content, {
                  method,
                  expiresAt: Math.min(clock.now() + REDIRECT_MS, result.expiresAt ?? Number.POSITIVE_INFINITY),
                  filename,
                  contentType: type,
                })
            : null,
        },
      )
    },
  )
}

const refusalOf = (missing: 'not_found' | 'not_finished' | 'none' | 'expired', jobId: string): MillraceError => {
  if (missing === 'not_found') return noSuchJob(jobId)
  if (missing === 'not_finished') return new MillraceError('not_finished')
  if (missing === 'expired') return new MillraceError('result_expired')
  return new MillraceError('not_found', `The job ${jobId} has no result: its kind has none, or it has not completed.`)
}

/** Small results are in the database, so there is no URL for them. */
const presign = async (
  blobs: BlobStore,
  content: StoredResult['content'],
  how: Parameters<BlobStore['presign']>[1],
): Promise<string | null> => ('blobKey' in content ? blobs.presign(content.blobKey, how) : null)

const open = async (
  blobs: BlobStore,
  { content, bytes }: StoredResult,
  range: ByteRange | undefined,
): Promise<Readable | null> => {
  if ('blobKey' in content) return blobs.get(content.blobKey, { ...range, size: bytes })
  const { data } = content
  return Readable.from([range ? data.subarray(range.start, range.end + 1) : data])
}
