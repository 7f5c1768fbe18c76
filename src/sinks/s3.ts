import type { S3ClientConfig, S3ServiceException } from '@aws-sdk/client-s3'
import { FetchError } from '../kernel/fetch-error.ts'
import type { GuardedFetch } from '../kernel/guarded-fetch.ts'
import type { S3Sink } from '../model/sink.ts'
import { guardedHandler } from './guarded-handler.ts'
import { s3Key } from './s3-key.ts'
import type { Parcel, SinkOutcome } from './sinks.ts'

/** Time limit for the whole try. An object has at most a few MB. */
const TRY_MS = 30_000

/**
 * Stores the body as one object in a bucket, with the sink's own credentials. With the server's, anyone who may submit jobs could write wherever the server
 * may, including its own blobs.
 */
export const deliverToS3 = async (fetch: GuardedFetch, parcel: Parcel<S3Sink>): Promise<SinkOutcome> => {
  const { sink, body, signal } = parcel
  // Imported here, because the AWS client takes a quarter of a second to load and most servers have no such sink.
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  const client = new S3Client(clientOptions(fetch, sink, signal))
  try {
    const object = { Bucket: sink.bucket, Key: s3Key(sink, parcel), Body: body, ContentType: 'application/json' }
    const { $metadata } = await client.send(new PutObjectCommand(object))
    return { type: 'delivered', status: $metadata.httpStatusCode ?? null, error: null }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return toFailure(error)
  } finally {
    client.destroy()
  }
}

const clientOptions = (fetch: GuardedFetch, sink: S3Sink, signal: AbortSignal): S3ClientConfig => ({
  region: sink.region ?? 'us-east-1',
  ...(sink.endpoint !== undefined && { endpoint: sink.endpoint }),
  ...(sink.force_path_style !== undefined && { forcePathStyle: sink.force_path_style }),
  credentials: { accessKeyId: sink.access_key_id, secretAccessKey: sink.secret_access_key },
  // The outbox retries, with the same delays as for other deliveries.
  maxAttempts: 1,
  // Compatible stores do not support trailing checksums.
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
  requestHandler: guardedHandler(fetch, { timeoutMs: TRY_MS, signal }),
})

/** Codes only, because S3's messages repeat keys and the signed string. */
const toFailure = (error: unknown): SinkOutcome => {
  if (error instanceof FetchError) return { type: 'retry', status: null, error: `${error.code}: ${error.message}` }
  const { name, $metadata } = error as Partial<S3ServiceException>
  const status = $metadata?.httpStatusCode ?? null
  const code = /^[A-Za-z0-9.]{1,64}$/.test(name ?? '') ? name : 'an error'
  return {
    type: 'retry',
    status,
    error: status === null ? `S3: ${code}` : `S3 answered with status ${status}: ${code}`,
  }
}
