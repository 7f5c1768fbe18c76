import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { ObjectStream } from './object-stream.ts'
import type { Bucket } from './s3-blob-store.ts'

type Stored = {
  /** Of the object, with the prefix. */
  readonly key: string
  readonly sort: 'whole' | 'parts'
  readonly sha256: string
}

/**
 * Of an object whose ETags were not what they are where nothing was changed on the way: throws `BadDigest`, as S3 would, when other bytes
 * are there than were sent. A store whose ETags are no MD5s is believed once one object was read again and was right: it most likely
 * looks at the SHA-256 that is signed with each request.
 */
export const requireSent = async (bucket: Bucket, { key, sort, sha256 }: Stored): Promise<void> => {
  if (bucket.otherEtags.has(sort)) return
  if ((await readHash(bucket, key)) !== sha256)
    throw Object.assign(new Error('other bytes than were sent'), {
      name: 'BadDigest',
      $metadata: { httpStatusCode: 200 },
    })
  bucket.otherEtags.add(sort)
}

const readHash = async (bucket: Bucket, key: string): Promise<string> => {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  const { Body } = await bucket.reader.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: key }))
  const hash = createHash('sha256')
  for await (const chunk of new ObjectStream(Body as Readable, { bucket, promised: null })) hash.update(chunk)
  return hash.digest('hex')
}
