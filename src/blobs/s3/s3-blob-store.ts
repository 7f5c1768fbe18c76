import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import type { MillraceError } from '../../kernel/errors.ts'
import type { S3Location } from '../../kernel/s3-location.ts'
import type { BlobPart, BlobStore } from '../blob-store.ts'
import { damaged } from '../damaged.ts'
import type { OwnedPlace } from '../owned-place.ts'
import { remembering } from '../remembering.ts'
import { isMissing } from './is-missing.ts'
import { listOlderThan } from './list-older-than.ts'
import { ObjectStream } from './object-stream.ts'
import { ANSWER_MS, IDLE_MS, openClient } from './open-client.ts'
import { ownedBucket } from './owned-bucket.ts'
import { presignBlob } from './presign-blob.ts'
import { putObject } from './put-object.ts'
import { toS3Fault } from './s3-fault.ts'

/** A bucket and the location of the blobs in it. */
export type Bucket = Pick<S3Location, 'bucket' | 'prefix' | 'endpoint' | 'region'> & {
  readonly client: S3Client
  /** For requests that somebody waits for: `ping`, and reading content, which occupies its connection for as long as the download takes. */
  readonly reader: S3Client
  /** Kinds of uploads for which the ETags of correct content were found not to be MD5s. */
  readonly otherEtags: Set<'whole' | 'parts'>
}

export type S3BlobOptions = S3Location & {
  /** null: use the default lookup of AWS clients (environment, profiles, the machine's role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
}

/** Limit for concurrent requests except downloads. Further ones wait. */
const CONNECTIONS = 128
/** Downloads are not limited: clients that do not read would block everybody else from results and logs, and the server has a connection for each anyway. */
const READERS = Number.POSITIVE_INFINITY
/** A failed write may lose work, so short outages and overload of S3 are waited out: seconds in total, longer if S3 asks for fewer requests. */
const TRIES_OF_WRITES = 6
/** Fewer tries, because somebody waits for these. */
const TRIES_OF_READS = 3
const ANSWER_MS_OF_READS = 10_000
/** How long a `ping` result is cached: anybody may call `/readyz`, and each check is a paid request. */
const PING_KEPT_MS = 5_000

const KEY = /^[0-9a-f]{32}$/

type S3BlobStore = BlobStore & {
  /** The place of the blobs, for checking whose they are. */
  readonly place: OwnedPlace
  close(): void
}

/**
 * Blobs as objects `<prefix><key>` in one bucket of S3 or a compatible store. An object exists only once its upload is complete, so nothing half-written is
 * ever visible. The endpoint may be on a private network: the address rules apply to addresses from users, and this one comes from the operator.
 */
export const openS3BlobStore = async (options: S3BlobOptions): Promise<S3BlobStore> => {
  const bucket = await openBucket(options)
  const ping = remembering(() => writeProbe(bucket), PING_KEPT_MS)
  return {
    put: (content, options) => putObject(bucket, { key: randomBytes(16).toString('hex'), content, ...options }),
    get: async (key, part = {}) => (KEY.test(key) ? getObject(bucket, { key, ...part }) : null),
    delete: key => (KEY.test(key) ? deleteObject(bucket, key) : Promise.resolve()),
    presign: async (key, how) => (KEY.test(key) ? presignBlob(bucket, key, how) : null),
    listOlderThan: time => listOlderThan(bucket, time),
    ping,
    place: ownedBucket(bucket),
    close: () => {
      bucket.client.destroy()
      bucket.reader.destroy()
    },
  }
}

const openBucket = async ({ bucket, prefix, ...rest }: S3BlobOptions): Promise<Bucket> => ({
  client: await openClient({
    ...rest,
    maxSockets: CONNECTIONS,
    tries: TRIES_OF_WRITES,
    timeouts: { socketTimeout: IDLE_MS },
  }),
  // Downloads may take any time (`object-stream.ts`).
  reader: await openClient({
    ...rest,
    maxSockets: READERS,
    tries: TRIES_OF_READS,
    timeouts: { requestTimeout: ANSWER_MS_OF_READS },
  }),
  bucket,
  prefix,
  endpoint: rest.endpoint,
  region: rest.region,
  otherEtags: new Set(),
})

type Reading = BlobPart & { readonly key: string }

const getObject = async (bucket: Bucket, reading: Reading): Promise<Readable | null> => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  const { key, start = 0, end, size } = reading
  const isPart = start > 0 || end !== undefined
  const request = {
    Bucket: bucket.bucket,
    Key: bucket.prefix + key,
    ...(isPart && { Range: `bytes=${start}-${end ?? ''}` }),
  }
  try {
    const answer = await bucket.reader.send(new GetObjectCommand(request))
    const body = answer.Body as Readable
    const found = sizeOf(answer)
    const stream = new ObjectStream(body, { bucket, promised: answer.ContentLength ?? lengthOf(reading) })
    if (isPart && answer.ContentRange === undefined && found !== 0) throw abandon(stream, noParts(bucket))
    if (size !== undefined && found !== null && found !== size) throw abandon(stream, damaged({ key, size, found }))
    return stream
  } catch (error) {
    if (isMissing(error)) return null
    if (size !== undefined && isBeyond(error)) throw damaged({ key, size, found: null })
    throw toS3Fault(error, bucket)
  }
}

/** The expected length if no header gives it, as behind a proxy with chunked encoding. null: unknown. */
const lengthOf = ({ start = 0, end, size }: Reading): number | null =>
  size === undefined ? null : Math.min(size, (end ?? size) + 1) - start

/** Size of the whole object. null: not reported. */
const sizeOf = ({ ContentRange, ContentLength }: GetObjectCommandOutput): number | null => {
  const total = /\/(\d+)$/.exec(ContentRange ?? '')?.[1]
  return total === undefined ? (ContentLength ?? null) : Number(total)
}

const abandon = (stream: Readable, error: MillraceError): MillraceError => {
  stream.destroy()
  return error
}

/** The error for an ignored Range header. Otherwise the first bytes would be taken for those in the middle. */
const noParts = (bucket: Bucket): MillraceError =>
  toS3Fault(Object.assign(new Error('Range was ignored'), { name: 'RangeIgnored' }), bucket)

const isBeyond = (error: unknown): boolean => (error as Partial<S3ServiceException>).$metadata?.httpStatusCode === 416

const deleteObject = async (bucket: Bucket, key: string): Promise<void> => {
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3')
  const command = new DeleteObjectCommand({ Bucket: bucket.bucket, Key: bucket.prefix + key })
  await bucket.client.send(command, { requestTimeout: ANSWER_MS }).catch(error => {
    throw toS3Fault(error, bucket)
  })
}

/** One object, overwritten each time. Its name is not a valid key, so it is never listed. */
const writeProbe = async (bucket: Bucket): Promise<void> => {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3')
  const command = new PutObjectCommand({ Bucket: bucket.bucket, Key: `${bucket.prefix}ping`, Body: 'ping' })
  await bucket.reader.send(command).catch(error => {
    throw toS3Fault(error, bucket)
  })
}
