import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { S3ServiceException } from '@aws-sdk/client-s3'
import { ID_NAME, type OwnedPlace } from '../owned-place.ts'
import { isMissing } from './is-missing.ts'
import { ObjectStream } from './object-stream.ts'
import type { Bucket } from './s3-blob-store.ts'
import { placeName, toS3Fault } from './s3-fault.ts'

/** Each look is a paid request. */
const KEPT_MS = 5_000

/** The prefix of a bucket as a place that bears an id. Asks nothing yet. */
export const ownedBucket = (bucket: Bucket): OwnedPlace => {
  const key = `${bucket.prefix}${ID_NAME}`
  return {
    name: placeName(bucket),
    idAt: `s3://${bucket.bucket}/${key}`,
    advice: 'Mend MILLRACE_BLOB_URL: all servers of one database share one.',
    stays: true,
    keptMs: KEPT_MS,
    readId: () => readId(bucket, key).catch(toldBy(bucket)),
    writeId: id => writeId(bucket, { key, id }).catch(toldBy(bucket)),
  }
}

const toldBy =
  (bucket: Bucket) =>
  (error: unknown): never => {
    throw toS3Fault(error, bucket)
  }

const readId = async (bucket: Bucket, key: string): Promise<string | null> => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  try {
    const { Body } = await bucket.reader.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: key }))
    return (await text(new ObjectStream(Body as Readable, { bucket, promised: null }))).trim() || null
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

const writeId = async (bucket: Bucket, { key, id }: { key: string; id: string }): Promise<void> => {
  // Looked for although it is not written over: some stores do not know the condition and write. Keys that may not list are refused what
  // is missing.
  if ((await readId(bucket, key).catch(nullIf(403))) !== null) return
  const { PutObjectCommand } = await import('@aws-sdk/client-s3')
  const object = { Bucket: bucket.bucket, Key: key, Body: `${id}\n` }
  await bucket.reader
    .send(new PutObjectCommand({ ...object, IfNoneMatch: '*' }))
    .catch(nullIf(412, 409)) // another server was first
    .catch(async error => {
      if (statusOf(error) !== 501) throw error
      await bucket.reader.send(new PutObjectCommand(object))
    })
}

const statusOf = (error: unknown): number | undefined =>
  (error as Partial<S3ServiceException>).$metadata?.httpStatusCode

const nullIf =
  (...statuses: readonly number[]) =>
  (error: unknown): null => {
    if (statuses.includes(statusOf(error) ?? 0)) return null
    throw error
  }
