import { createHash } from 'node:crypto'
import type { BlobStore, PutOptions } from '../blobs/blob-store.ts'
import { MillraceError } from '../kernel/errors.ts'
import { GrowingFile } from '../kernel/growing-file.ts'
import { resume } from '../kernel/resume.ts'
import type { ResultFormat } from '../model/job.ts'
import { INLINE_RESULT_BYTES, type NewResult } from '../model/outcome.ts'

type Place = { readonly blobs: BlobStore; readonly keptMs: number | null; readonly format: ResultFormat }

/** Stores a result inline or as a blob, depending on its size. Until the job's end references the blob, it is an orphan that garbage collection finds. */
export const keepResult = async (input: Place & { readonly content: string | Uint8Array }): Promise<NewResult> => {
  const data = typeof input.content === 'string' ? Buffer.from(input.content) : input.content
  return data.length > INLINE_RESULT_BYTES ? keepBlob(input, { content: once(data) }) : keepInline(input, data)
}

/**
 * Like `keepResult`, for a stream: a small one goes into the database, a larger one is streamed into a blob and hashed on the way. Throws `too_large` beyond
 * `maxBytes`, the signal's reason if it aborts, and whatever the stream throws. After an error there is no blob and the stream is closed.
 */
export const keepResultStream = async (input: Place & Stream<AsyncIterable<Uint8Array>>): Promise<NewResult> => {
  const { content, maxBytes, signal } = input
  if (content instanceof GrowingFile) return keepFile(input, { content, maxBytes, signal })
  const source = content[Symbol.asyncIterator]()
  const head = await readHead(source, Math.min(maxBytes, INLINE_RESULT_BYTES))
  if (head.isWhole) return keepInline(input, Buffer.concat(head.chunks))
  if (head.size > maxBytes) {
    await source.return?.()
    throw new MillraceError('too_large', `At most ${maxBytes} bytes are stored here.`)
  }
  return keepBlob(input, { content: resume(head.chunks, source), maxBytes, signal })
}

type Stream<Content> = { readonly content: Content; readonly maxBytes: number; readonly signal: AbortSignal }

/** A file's size is checked before reading: if it exceeds the inline limit, the file itself may become the blob. */
const keepFile = async (place: Place, { content, maxBytes, signal }: Stream<GrowingFile>): Promise<NewResult> => {
  try {
    const limit = Math.min(maxBytes, INLINE_RESULT_BYTES)
    const { size } = await content.growBeyond(limit)
    if (size > limit) return await keepBlob(place, { content, maxBytes, signal })
    return keepInline(place, Buffer.concat(await Array.fromAsync(content)))
  } catch (error) {
    await content.remove().catch(() => {}) // the first error matters more
    throw error
  }
}

const keepInline = ({ format, keptMs }: Place, data: Uint8Array): NewResult => {
  const sha256 = createHash('sha256').update(data).digest('hex')
  return { format, bytes: data.length, sha256, keptMs, content: { data } }
}

type Streamed = PutOptions & { readonly content: AsyncIterable<Uint8Array> }

const keepBlob = async ({ blobs, format, keptMs }: Place, { content, ...options }: Streamed): Promise<NewResult> => {
  const { key, sha256, size } = await blobs.put(content, options)
  return { format, bytes: size, sha256, keptMs, content: { blobKey: key } }
}

/** Reads until the end, or until more than `limit` bytes are read. */
const readHead = async (source: AsyncIterator<Uint8Array>, limit: number) => {
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= limit) {
    const { done, value } = await source.next()
    if (done) return { chunks, size, isWhole: true }
    chunks.push(value)
    size += value.length
  }
  return { chunks, size, isWhole: false }
}

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data
}
