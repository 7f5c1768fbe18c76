import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { FetchError } from './fetch-error.ts'

/** What `decodeBody` can undo; for `Accept-Encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br, zstd'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** More layers than anyone means: each one multiplies what a few bytes can grow to. */
const MAX_LAYERS = 3

/**
 * The body without its Content-Encoding. Neither what arrives nor what comes out may be more than `maxBytes`: the first stops
 * streams that decode to nothing for ever, the second those that grow. Throws `FetchError`: at once for an encoding that is not
 * known, and while it is read.
 */
export const decodeBody = (
  raw: Readable,
  encoding: string | undefined,
  maxBytes: number,
): AsyncIterable<Uint8Array> => {
  const decoders = layers(encoding)
  return limited(decoders.length === 0 ? raw : decode(raw, decoders, maxBytes), maxBytes)
}

/** A generator, so that a body nobody reads is not decoded either. */
async function* decode(raw: Readable, decoders: (() => Transform)[], maxBytes: number): AsyncIterable<Uint8Array> {
  const arriving = (source: AsyncIterable<Uint8Array>) => limited(source, maxBytes)
  const decoded: Readable = pipeline([raw, arriving, ...decoders.map(create => create())], ignore) as Transform
  decoded.on('error', ignore) // also after its reader has left
  yield* decoded
}

/** The reader of the last stream gets the error. */
const ignore = (): void => {}

/** Decoders in the order they are applied: the last coding named was applied last. */
const layers = (encoding: string | undefined): (() => Transform)[] => {
  const names = (encoding ?? '').split(',').map(name => name.trim().toLowerCase())
  const codings = names.filter(name => name !== '' && name !== 'identity')
  const decoders = codings.map(name => DECODERS[name])
  const known = decoders.filter(decoder => decoder !== undefined)
  if (known.length < decoders.length || known.length > MAX_LAYERS)
    // Not its name: servers that mean ill repeat there what they were sent, secrets included.
    throw new FetchError('response_unreadable', 'Its Content-Encoding is not supported.')
  return known.reverse()
}

async function* limited(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncIterable<Uint8Array> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    if (size > maxBytes) throw new FetchError('response_too_large', `It has more than ${maxBytes} bytes.`)
    yield chunk
  }
}
