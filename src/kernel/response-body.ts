import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { FetchError } from './fetch-error.ts'

/** The encodings `decodeBody` supports, for `Accept-Encoding`. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br, zstd'

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** More layers than any real server uses: each one multiplies what a few bytes can expand to. */
const MAX_LAYERS = 3

/**
 * Decodes a body according to its Content-Encoding. `maxBytes` limits both the encoded and the decoded size: the first stops streams that decode to
 * nothing forever, the second those that expand. Throws `FetchError`: at once for an unknown encoding, otherwise while the body is read.
 */
export const decodeBody = (
  raw: Readable,
  encoding: string | undefined,
  maxBytes: number,
): AsyncIterable<Uint8Array> => {
  const decoders = layers(encoding)
  return limited(decoders.length === 0 ? raw : decode(raw, decoders, maxBytes), maxBytes)
}

/** A generator, so that a body nobody reads is not decoded. */
async function* decode(raw: Readable, decoders: (() => Transform)[], maxBytes: number): AsyncIterable<Uint8Array> {
  const arriving = (source: AsyncIterable<Uint8Array>) => limited(source, maxBytes)
  const decoded: Readable = pipeline([raw, arriving, ...decoders.map(create => create())], ignore) as Transform
  decoded.on('error', ignore) // also after its reader has stopped
  yield* decoded
}

/** The reader of the last stream gets the error. */
const ignore = (): void => {}

/** Decoders in the order to apply them: the last coding named was applied last. */
const layers = (encoding: string | undefined): (() => Transform)[] => {
  const names = (encoding ?? '').split(',').map(name => name.trim().toLowerCase())
  const codings = names.filter(name => name !== '' && name !== 'identity')
  const decoders = codings.map(name => DECODERS[name])
  const known = decoders.filter(decoder => decoder !== undefined)
  if (known.length < decoders.length || known.length > MAX_LAYERS)
    // Do not quote the encoding: a malicious server may echo what it was sent, secrets included.
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
