import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { S3ServiceException } from '@aws-sdk/client-s3'
import { readStart } from '../../kernel/read-start.ts'
import { ID_BYTES, ID_NAME, type OwnedPlace } from '../owned-place.ts'
import { isMissing } from './is-missing.ts'
import { ObjectStream } from './object-stream.ts'
import type { Bucket } from './s3-blob-store.ts'
import { placeName, toS3Fault } from './s3-fault.ts'

/** Each check is a paid request. */
const KEPT_MS = 5_000

/** A bucket prefix as a place that bears an id. Sends no requests yet. */
export const ownedBucket = (bucket: Bucket): OwnedPlace => {
  const key = `${bucket.prefix}${ID_NAME}`
  return {
    name: placeName(bucket),
    idAt: `s3://${bucket.bucket}/${key}`,
    advice: 'Name in MILLRACE_BLOB_URL the one that all servers of this database share.',
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
    const stream = new ObjectStream(Body as Readable, { bucket, promised: null })
    return (await readStart(stream, ID_BYTES)).toString('utf8').trim() || null
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** How often, and at what interval, to check whether another server has finished writing the same id. */
const LOOKS = 20
const PAUSE_MS = 250

const writeId = async (bucket: Bucket, { key, id }: { key: string; id: string }): Promise<void> => {
  for (let look = 1; ; look++) {
    // Check first, although the write is conditional: some stores ignore the condition and overwrite. For keys without list permission, a missing object is
    // 403.
    if ((await readId(bucket, key).catch(nullIf(403))) !== null) return
    try {
      return await putId(bucket, { key, id })
    } catch (error) {
      if (statusOf(error) !== 409 || look === LOOKS) throw error
    }
    await sleep(PAUSE_MS)
  }
}

const putId = async ({ bucket, reader }: Bucket, { key, id }: { key: string; id: string }): Promise<void> => {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3')
  const object = { Bucket: bucket, Key: key, Body: `${id}\n` }
  try {
    await reader.send(new PutObjectCommand({ ...object, IfNoneMatch: '*' }))
  } catch (error) {
    if (statusOf(error) === 412) return // another server was first
    if (statusOf(error) !== 501) throw error
    await reader.send(new PutObjectCommand(object))
  }
}

const statusOf = (error: unknown): number | undefined =>
  (error as Partial<S3ServiceException>).$metadata?.httpStatusCode

const nullIf =
  (status: number) =>
  (error: unknown): null => {
    if (statusOf(error) === status) return null
    throw error
  }
