import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { serve } from '../fetch/local-server.ts'
import { inChunks, readAll, sampleBytes } from './content.ts'
import { refuse, S3_KEYS, type S3Server, startS3Server } from './s3-server.ts'

/** It stores whatever arrives, without comparing the SHA-256 that is signed with each request. */
let s3: S3Server
beforeAll(async () => {
  s3 = await startS3Server('blobs')
})
afterAll(() => s3.close())

type Way = {
  /** Whether a byte of this request is changed. */
  flips?: (request: IncomingMessage) => boolean
  /** Changes an ETag. */
  etag?: (etag: string) => string
  /** Additional response headers of the store. */
  headers?: Record<string, string>
  /** Compares the signed SHA-256, as S3 does. */
  compares?: boolean
}

let prefixes = 0

/** A store behind a server that can change requests. */
const openBehind = async (way: Way) => {
  const between = await serve((request, response) => {
    if (way.compares) return void compare(request, response, way)
    const passed = httpRequest(
      s3.endpoint + request.url,
      { method: request.method!, headers: request.headers },
      answer => {
        const { etag } = answer.headers
        response.writeHead(answer.statusCode!, {
          ...answer.headers,
          ...way.headers,
          ...(etag !== undefined && way.etag && { etag: way.etag(etag) }),
        })
        answer.pipe(response)
      },
    )
    request.pipe(flipping(way.flips?.(request) ?? false)).pipe(passed)
  })
  const store = await openS3BlobStore({
    bucket: 'blobs',
    prefix: `${++prefixes}/`,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${between.port}`,
    forcePathStyle: true,
    credentials: S3_KEYS,
  })
  onTestFinished(() => store.close())
  const reads = () => between.requests.filter(({ method }) => method === 'GET').length
  const keys = async () => (await Array.fromAsync(store.listOlderThan(Date.now() + 3_600_000))).flat()
  return { store, reads, keys }
}

/** Changes the first byte, or nothing. */
const flipping = (flips: boolean): Transform => {
  let isFirst = flips
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      const passed = Buffer.from(chunk)
      if (isFirst) passed[0]! ^= 1
      isFirst = false
      done(null, passed)
    },
  })
}

const compare = (request: IncomingMessage, response: ServerResponse, way: Way): void => {
  const hash = createHash('sha256')
  request
    .pipe(flipping(way.flips?.(request) ?? false))
    .on('data', chunk => hash.update(chunk))
    .on('end', () => {
      if (hash.digest('hex') === request.headers['x-amz-content-sha256']) response.end()
      else refuse(response, 400, 'XAmzContentSHA256Mismatch')
    })
}

const SMALL = sampleBytes(100_000)
const LARGE = sampleBytes(20_000_000)
const put = (store: Awaited<ReturnType<typeof openBehind>>['store'], bytes: Uint8Array) =>
  store.put(inChunks(bytes, 700_000))

const CHANGED = {
  code: 'storage_unavailable',
  message: expect.stringContaining('What arrived there is not what was sent: check the network'),
}

const isPut = ({ method }: IncomingMessage) => method === 'PUT'
const isPart = (number: number) => (request: IncomingMessage) =>
  isPut(request) && request.url!.includes(`partNumber=${number}&`)

describe('content with a byte changed on its way to S3', () => {
  test.each([
    ['in one request', SMALL, isPut],
    ['in the first of its parts', LARGE, isPart(1)],
    ['in a middle one', LARGE, isPart(2)],
    ['in the last one', LARGE, isPart(3)],
  ])('%s is not stored, even if the store accepts it', async (_, bytes, flips) => {
    const { store, keys } = await openBehind({ flips })
    await expect(put(store, bytes)).rejects.toMatchObject(CHANGED)
    expect(await keys()).toEqual([])
  })

  test('is rejected by a store that compares the SHA-256 of each request', async () => {
    const { store } = await openBehind({ flips: isPut, compares: true })
    await expect(put(store, SMALL)).rejects.toMatchObject(CHANGED)
  })
})

test('content of any size that arrives unchanged is not read back', async () => {
  const { store, reads } = await openBehind({})
  const part = 8 * 1024 * 1024
  for (const size of [0, 1, part - 1, part, part + 1, 2 * part, 2 * part + 1]) await put(store, sampleBytes(size))
  expect(reads()).toBe(0)
})

test.each([
  ['one request', SMALL],
  ['parts', LARGE],
])('a store whose ETags of %s are not MD5s is read back once, then trusted', async (_, bytes) => {
  const { store, reads } = await openBehind({ etag: () => '"0123456789abcdef0123456789abcdef"' })
  const { key } = await put(store, bytes)
  expect(reads()).toBe(1)
  await put(store, bytes)
  expect(reads()).toBe(1)
  expect((await readAll(await store.get(key))).equals(bytes)).toBe(true)
})

test('a store that encrypts with its own keys is never read back', async () => {
  const { store, reads } = await openBehind({
    etag: () => '"0123456789abcdef0123456789abcdef"',
    headers: { 'x-amz-server-side-encryption': 'aws:kms' },
  })
  await put(store, SMALL)
  await put(store, LARGE)
  expect(reads()).toBe(0)
})
