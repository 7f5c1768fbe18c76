import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { S3Client, UploadPartCommandOutput } from '@aws-sdk/client-s3'
import { MillraceError } from '../../kernel/errors.ts'
import { unlessAborted } from '../../kernel/unless-aborted.ts'
import type { PutOptions, StoredBlob } from '../blob-store.ts'
import { ANSWER_MS } from './open-client.ts'
import { partHashes } from './part-hashes.ts'
import { requireSent } from './require-sent.ts'
import type { Bucket } from './s3-blob-store.ts'
import { toS3Fault } from './s3-fault.ts'

/** S3's minimum is 5 MiB. With the maximum number of parts, an object can have up to 80 GiB. If more is allowed, parts are larger. */
const PART_BYTES = 8 * 1024 * 1024
const MOST_PARTS = 10_000
/** Parts in flight. Together with the one being filled, an upload uses 24 MiB of memory. */
const PARTS_AT_ONCE = 2

/** Even a slow line sends this much within `ANSWER_MS`. */
const SMALL_BYTES = 1024 * 1024

type NewObject = PutOptions & { readonly key: string; readonly content: AsyncIterable<Uint8Array> }

const NEVER = new AbortController().signal

/**
 * Uploads in parts, hashing on the way. Small content is one request. After any failure the object does not exist: parts already sent are dropped. Throws
 * like `BlobStore.put`, and passes through errors of the content. An abort rejects at once; what a request in flight left is removed in the background.
 */
export const putObject = async (
  bucket: Bucket,
  { key, content, maxBytes = Number.POSITIVE_INFINITY, signal = NEVER }: NewObject,
): Promise<StoredBlob> => {
  signal.throwIfAborted()
  const { Upload } = await import('@aws-sdk/lib-storage')
  const { DeleteObjectCommand } = await import('@aws-sdk/client-s3')
  const partSize = partSizeFor(maxBytes)
  const hashed = hashing(content, { maxBytes, partSize })
  const body = Readable.from(hashed.content, { objectMode: true })
  const object = { Bucket: bucket.bucket, Key: bucket.prefix + key }
  const remove = () => bucket.client.send(new DeleteObjectCommand(object))
  const client = await watched(bucket.client, { signal, compare: hashed.compare })
  const upload = new Upload({
    client,
    params: { ...object, Body: body },
    partSize,
    queueSize: PARTS_AT_ONCE,
  })
  const store = async (): Promise<Omit<StoredBlob, 'key'>> => {
    await upload.done()
    const { differs, ...sent } = hashed.finish()
    try {
      if (differs !== null) await requireSent(bucket, { key: object.Key, sort: differs, sha256: sent.sha256 })
    } catch (error) {
      await remove().catch(ignore)
      throw error
    }
    return sent
  }
  const done = store()
  try {
    return { key, ...(await unlessAborted(signal, done)) }
  } catch (error) {
    body.destroy()
    if (!signal.aborted) throw hashed.fault === null ? toS3Fault(error, bucket) : hashed.fault.error
    // A request whose response was not awaited may have created the object. If this fails, garbage collection finds it.
    void done.catch(ignore).then(remove).catch(ignore)
    throw signal.reason
  }
}

/** Content without a size limit is small: log segments, and results below a limit. */
const partSizeFor = (maxBytes: number): number =>
  Number.isFinite(maxBytes) ? Math.max(PART_BYTES, Math.ceil(maxBytes / MOST_PARTS)) : PART_BYTES

const ignore = (): void => {}

type Answer = Pick<UploadPartCommandOutput, 'ETag' | 'ServerSideEncryption'>

type Watch = {
  readonly signal: AbortSignal
  /** Called with S3's response to each part. `part` is null for content sent as one request. */
  readonly compare: (part: number | null, answer: Answer) => void
}

/** A client for one upload: the signal aborts all its requests except the one that drops the parts. The uploader itself would let requests in flight finish. */
const watched = async (client: S3Client, { signal, compare }: Watch): Promise<S3Client> => {
  const aws = await import('@aws-sdk/client-s3')
  const { AbortMultipartUploadCommand, CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } = aws
  const isQuick = (command: Parameters<S3Client['send']>[0]): boolean =>
    command instanceof AbortMultipartUploadCommand ||
    command instanceof CreateMultipartUploadCommand ||
    (command instanceof PutObjectCommand && (command.input.Body as Uint8Array).length <= SMALL_BYTES)
  const send = async (command: Parameters<S3Client['send']>[0]) => {
    const answer = await client.send(command, {
      ...(!(command instanceof AbortMultipartUploadCommand) && { abortSignal: signal }),
      ...(isQuick(command) && { requestTimeout: ANSWER_MS }),
    })
    if (command instanceof UploadPartCommand) compare(command.input.PartNumber!, answer as Answer)
    if (command instanceof PutObjectCommand) compare(null, answer as Answer)
    return answer
  }
  return Object.create(client, { send: { value: send } }) as S3Client
}

/** The same bytes, counted and hashed. Copied, because the producer may reuse its buffer while a part is in flight. */
const hashing = (
  source: AsyncIterable<Uint8Array>,
  { maxBytes, partSize }: { readonly maxBytes: number; readonly partSize: number },
) => {
  const hash = createHash('sha256')
  const parts = partHashes(partSize)
  let size = 0
  let differs: 'whole' | 'parts' | null = null
  let fault: { readonly error: unknown } | null = null
  // The uploader throws its own failures into the content generator. These are not errors of the content.
  let isAway = false
  async function* content(): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of source) {
        size += chunk.length
        if (size > maxBytes) throw new MillraceError('too_large', `At most ${maxBytes} bytes are stored here.`)
        hash.update(chunk)
        parts.add(chunk)
        isAway = true
        yield Buffer.from(chunk)
        isAway = false
      }
    } catch (error) {
      if (!isAway) fault = { error }
      throw error
    }
  }
  return {
    content: content(),
    /** The error of the content itself, since the AWS client wraps it. */
    get fault() {
      return fault
    },
    /** Records a response whose ETag is not the expected MD5. */
    compare: (part: number | null, { ETag, ServerSideEncryption }: Answer): void => {
      // With KMS, the ETag is not an MD5 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). Stores do not report other reasons.
      if (ServerSideEncryption?.startsWith('aws:kms')) return
      if (ETag?.replaceAll('"', '') !== parts.of(part ?? 1)) differs = part === null ? 'whole' : 'parts'
    },
    finish: () => ({ sha256: hash.digest('hex'), size, differs }),
  }
}
