import { createHash } from 'node:crypto'
import type { BlobStore } from '../blobs/blob-store.ts'
import type { ResultFormat } from '../model/job.ts'
import { INLINE_RESULT_BYTES, type NewResult } from '../model/outcome.ts'

type Input = {
  readonly blobs: BlobStore
  readonly keptMs: number | null
  readonly format: ResultFormat
  readonly content: string | Uint8Array
}

/** Puts a result where its size says. Until the job's end names it, a blob of it is an orphan that garbage collection finds. */
export const keepResult = async ({ blobs, keptMs, format, content }: Input): Promise<NewResult> => {
  const data = typeof content === 'string' ? Buffer.from(content) : content
  if (data.length > INLINE_RESULT_BYTES) {
    const { key, sha256, size } = await blobs.put(once(data))
    return { format, bytes: size, sha256, keptMs, content: { blobKey: key } }
  }
  const sha256 = createHash('sha256').update(data).digest('hex')
  return { format, bytes: data.length, sha256, keptMs, content: { data } }
}

async function* once(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data
}
