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

/** The least S3 takes is 5 MiB. With the most parts, an object has up to 80 GiB; where more is allowed parts are larger. */
const PART_BYTES = 8 * 1024 * 1024
const MOST_PARTS = 10_000
/** Parts under way at once: together with the one that fills up, 24 MiB of memory an upload. */
const PARTS_AT_ONCE = 2

/** What a slow line, too, sends in the time that S3 has for an answer. */
const SMALL_BYTES = 1024 * 1024

type NewObject = PutOptions & { readonly key: string; readonly content: AsyncIterable<Uint8Array> }

const NEVER = new AbortController().signal

/**
 * Uploads in parts, hashing on the way. Small content is one request. Whatever fails, the object is not there: parts that
 * were sent are dropped. Throws as `BlobStore.put`, and keeps the error of the content. Who aborts is told at once; what a request that
 * was under way has left is removed behind.
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
    // A request whose answer nobody waited for may have made it. Should this fail, garbage collection finds it.
    void done.catch(ignore).then(remove).catch(ignore)
    throw signal.reason
  }
}

/** What may have any size is small: segments of logs, and results below a limit. */
const partSizeFor = (maxBytes: number): number =>
  Number.isFinite(maxBytes) ? Math.max(PART_BYTES, Math.ceil(maxBytes / MOST_PARTS)) : PART_BYTES

const ignore = (): void => {}

type Answer = Pick<UploadPartCommandOutput, 'ETag' | 'ServerSideEncryption'>

type Watch = {
  readonly signal: AbortSignal
  /** Called with what S3 says of a part; of content that is one request null. */
  readonly compare: (part: number | null, answer: Answer) => void
}

/**
 * The client for one upload: a signal ends all of its requests but the one that drops the parts. The uploader itself would let those that
 * are under way come to their end.
 */
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

/** The same bytes, counted and hashed. Copied, for the producer may use its buffer again while a part is on its way. */
const hashing = (
  source: AsyncIterable<Uint8Array>,
  { maxBytes, partSize }: { readonly maxBytes: number; readonly partSize: number },
) => {
  const hash = createHash('sha256')
  const parts = partHashes(partSize)
  let size = 0
  let differs: 'whole' | 'parts' | null = null
  let fault: { readonly error: unknown } | null = null
  // The uploader throws into the content what it has given up for: that is no fault of the content.
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
    /** What the content failed with: the client of AWS wraps it. */
    get fault() {
      return fault
    },
    /** Notes an answer that is not what it is where nothing was changed on the way. */
    compare: (part: number | null, { ETag, ServerSideEncryption }: Answer): void => {
      // Then it is no MD5 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). Other reasons stores do not tell.
      if (ServerSideEncryption?.startsWith('aws:kms')) return
      if (ETag?.replaceAll('"', '') !== parts.of(part ?? 1)) differs = part === null ? 'whole' : 'parts'
    },
    finish: () => ({ sha256: hash.digest('hex'), size, differs }),
  }
}
