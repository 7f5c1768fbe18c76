import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { MillraceError } from '../../kernel/errors.ts'
import type { StoredBlob } from '../blob-store.ts'
import type { Bucket } from './s3-blob-store.ts'

/** The least S3 takes is 5 MiB. With 10,000 parts at most, an object has up to 80 GiB. */
const PART_BYTES = 8 * 1024 * 1024
/** Parts under way at once: together with the one that fills up, 24 MiB of memory an upload. */
const PARTS_AT_ONCE = 2

type Upload = { readonly key: string; readonly content: AsyncIterable<Uint8Array>; readonly maxBytes: number }

/**
 * Uploads in parts, hashing on the way. Small content is one request. Whatever fails, the object is not there: parts that
 * were sent are dropped. Keeps the error of the content; `too_large` beyond `maxBytes`.
 */
export const putObject = async (
  { client, bucket, prefix }: Bucket,
  { key, content, maxBytes }: Upload,
): Promise<StoredBlob> => {
  const { Upload } = await import('@aws-sdk/lib-storage')
  const hashed = hashing(content, maxBytes)
  const upload = new Upload({
    client,
    params: { Bucket: bucket, Key: prefix + key, Body: Readable.from(hashed.content, { objectMode: true }) },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
  })
  try {
    await upload.done()
  } catch (error) {
    throw hashed.fault ?? error
  }
  return { key, ...hashed.finish() }
}

/** The same bytes, counted and hashed. Copied, for the producer may use its buffer again while a part is on its way. */
const hashing = (source: AsyncIterable<Uint8Array>, maxBytes: number) => {
  const hash = createHash('sha256')
  let size = 0
  let fault: unknown = null
  async function* content(): AsyncIterable<Uint8Array> {
    try {
      for await (const chunk of source) {
        size += chunk.length
        if (size > maxBytes) throw new MillraceError('too_large', `At most ${maxBytes} bytes are stored here.`)
        hash.update(chunk)
        yield Buffer.from(chunk)
      }
    } catch (error) {
      fault = error
      throw error
    }
  }
  return {
    content: content(),
    /** What the content failed with: the client of AWS wraps it. */
    get fault() {
      return fault
    },
    finish: () => ({ sha256: hash.digest('hex'), size }),
  }
}
