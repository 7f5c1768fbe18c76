import { pipeline, Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { ImportFailure } from '../import-failure.ts'
import type { Compression } from '../spec.ts'
import { peek } from './peek.ts'

type Limits = {
  /** Absent: detected by the first bytes, which are more reliable than a name. */
  readonly compression?: Compression | undefined
  /** Limit for the decompressed content. */
  readonly maxBytes: number
  /** The message beyond it, if it is not the limit for imports. */
  readonly tooLarge?: string
}

const CHUNK_BYTES = 256 * 1024

const DECODERS: Readonly<Record<Exclude<Compression, 'none'>, () => Transform>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  zstd: () => createZstdDecompress({ chunkSize: CHUNK_BYTES }),
}

/** A server may compress what is already compressed. */
const MOST_LAYERS = 2

/**
 * The content, decompressed. A part, of the input and of the output, is valid until the next is requested. Throws `ImportFailure` `content_unreadable`,
 * `content_too_large`.
 */
export async function* decompressed(content: AsyncIterable<Uint8Array>, limits: Limits): AsyncGenerator<Uint8Array> {
  const { compression } = limits
  let plain = content
  if (compression === undefined) {
    for (let layers = 0; layers < MOST_LAYERS; layers++) {
      const { head, whole } = await peek(plain, MAGIC_BYTES)
      const found = compressionOf(head)
      plain = found === 'none' ? whole : decode(whole, found)
      if (found === 'none') break
    }
  } else if (compression !== 'none') plain = decode(plain, compression)
  yield* limited(plain, limits)
}

const ZSTD = [0x28, 0xb5, 0x2f, 0xfd]
const MAGIC_BYTES = 4

const compressionOf = (head: Uint8Array): Compression => {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  return ZSTD.every((byte, index) => head[index] === byte) ? 'zstd' : 'none'
}

async function* decode(
  content: AsyncIterable<Uint8Array>,
  compression: Exclude<Compression, 'none'>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(copied(content), { objectMode: false })
  const decoder = DECODERS[compression]()
  pipeline(source, decoder, ignore)
  try {
    yield* decoder as AsyncIterable<Buffer>
  } catch (error) {
    // Errors of the source end up here as well.
    if (!/^(Z_|ZSTD_|ERR_ZSTD|ERR__ERROR)/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw new ImportFailure(
      'content_unreadable',
      `The content is not complete ${compression} data: ${(error as Error).message}.`,
    )
  }
}

/** Streams read ahead, but a part is valid only until the next is requested. */
async function* copied(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) yield Buffer.from(chunk)
}

/** The reader of the last stream gets the error. */
const ignore = (): void => {}

async function* limited(
  content: AsyncIterable<Uint8Array>,
  { maxBytes, tooLarge }: Limits,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > maxBytes)
      throw new ImportFailure(
        'content_too_large',
        tooLarge ?? `The content has more than ${maxBytes} bytes (MILLRACE_MAX_UPLOAD_BYTES).`,
      )
    yield chunk
  }
}
