import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'

/** Bytes that differ everywhere, the same for the same size: a cut or a swap shows. */
export const sampleBytes = (size: number): Buffer<ArrayBuffer> => {
  const bytes = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 17 + (i >> 16)) & 0xff
  return bytes
}

/** The bytes in chunks of that size. */
export async function* inChunks(bytes: Uint8Array, chunkSize: number): AsyncIterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += chunkSize) yield bytes.subarray(from, from + chunkSize)
}

export const readAll = async (stream: Readable | null): Promise<Buffer> => {
  if (stream === null) throw new Error('there is no such blob')
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
