import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { serve } from '../fetch/local-server.ts'
import { freePort } from '../free-port.ts'
import { blobSuite } from './blob-suite.ts'
import { inChunks, readAll, sampleBytes, sha256 } from './content.ts'
import { refuse, S3_KEYS, type S3Server, startS3Server } from './s3-server.ts'
import { startSwitchableS3 } from './switchable-s3.ts'

let server: S3Server
const opened: { close(): void }[] = []

beforeAll(async () => {
  server = await startS3Server('blobs', 'others')
})
afterAll(async () => {
  for (const store of opened) store.close()
  await server.close()
})

const open = async (options: { bucket?: string; prefix?: string; endpoint?: string } = {}) => {
  const store = await openS3BlobStore({
    bucket: 'blobs',
    prefix: '',
    region: 'us-east-1',
    endpoint: server.endpoint,
    forcePathStyle: true,
    credentials: S3_KEYS,
    ...options,
  })
  opened.push(store)
  return store
}

blobSuite('blobs in S3', () => open({ prefix: 'mill/race/' }))

test('a multipart blob is put together and hashed as a whole', async () => {
  const store = await open()
  const bytes = sampleBytes(21 * 1024 * 1024)
  const stored = await store.put(inChunks(bytes, 700_000))
  expect(stored).toMatchObject({ size: bytes.length, sha256: sha256(bytes) })
  expect(sha256(await readAll(await store.get(stored.key)))).toBe(stored.sha256)
  const middle = await readAll(await store.get(stored.key, { start: 8_388_600, end: 8_388_620 }))
  expect(middle.equals(bytes.subarray(8_388_600, 8_388_621))).toBe(true)
  await store.delete(stored.key)
})

test('content that fails after several parts leaves nothing', async () => {
  const store = await open({ prefix: 'failing/' })
  async function* failing() {
    for (let i = 0; i < 20; i++) yield sampleBytes(1024 * 1024)
    throw new Error('the client has gone')
  }
  await expect(store.put(failing())).rejects.toThrow('the client has gone')
  expect(await Array.fromAsync(store.listOlderThan(Date.now() + 3_600_000))).toEqual([])
})

/** As much of S3 as one upload needs. */
const take: RequestListener = (request, response) => {
  const hash = createHash('md5')
  const [method, url] = [request.method!, request.url!]
  request.on('data', chunk => hash.update(chunk))
  request.on('end', () => {
    if (method === 'PUT') response.writeHead(200, { etag: `"${hash.digest('hex')}"` }).end()
    else if (url.includes('uploads'))
      response.end('<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>')
    else response.end('<CompleteMultipartUploadResult><ETag>"all"</ETag></CompleteMultipartUploadResult>')
  })
}

/** Accepts what is sent, and answers like S3, except for requests that are `stuck`. */
const openStuck = async (stuck: (request: { method: string; path: string }) => boolean) => {
  const s3 = await serve((request, response) => {
    if (stuck({ method: request.method!, path: request.url! })) request.resume()
    else take(request, response)
  })
  const sent = () =>
    s3.requests.map(
      ({ method, path }) =>
        `${method} ${path
          .split('/')
          .at(-1)!
          .replace(/^\w{32}\?/, '')}`,
    )
  return { store: await open({ endpoint: `http://127.0.0.1:${s3.port}` }), sent }
}

test('an aborted put does not wait for S3, and the uploaded parts are dropped', async () => {
  const { store, sent } = await openStuck(({ path }) => path.includes('partNumber=2'))
  const stop = new AbortController()
  const refused = expect(store.put(inChunks(sampleBytes(20_000_000), 700_000), { signal: stop.signal })).rejects
  await expect.poll(() => sent().some(line => line.includes('partNumber=2'))).toBe(true)
  stop.abort('cancelled')
  await refused.toBe('cancelled')
  await expect.poll(() => sent().filter(line => /^DELETE uploadId=/.test(line)).length).toBe(1)
  expect(sent().some(line => line.startsWith('POST uploadId='))).toBe(false)
})

test('a put aborted during its single request deletes the object it may have created', async () => {
  const { store, sent } = await openStuck(({ method }) => method === 'PUT')
  const stop = new AbortController()
  const refused = expect(store.put(inChunks(sampleBytes(100), 10), { signal: stop.signal })).rejects
  await expect.poll(() => sent().length).toBe(1)
  stop.abort('cancelled')
  await refused.toBe('cancelled')
  await expect.poll(() => sent().some(line => line.endsWith('x-id=DeleteObject'))).toBe(true)
})

test('stalled readers block no other reads or writes', async () => {
  const store = await open()
  const { key } = await store.put(inChunks(sampleBytes(4_000_000), 100_000))
  const stalled = await Promise.all(Array.from({ length: 150 }, () => store.get(key)))
  const other = await store.put(inChunks(sampleBytes(1000), 100))
  expect(await readAll(await store.get(other.key))).toHaveLength(1000)
  await store.ping()
  for (const content of stalled) content!.destroy()
  for (const made of [key, other.key]) await store.delete(made)
}, 20_000)

test('objects of others are not listed: other prefixes, other names', async () => {
  const one = await open({ prefix: 'one/' })
  const two = await open({ prefix: 'one/two/' })
  const { key } = await two.put(inChunks(sampleBytes(10), 10))
  await one.ping()
  expect(await Array.fromAsync(one.listOlderThan(Date.now() + 3_600_000))).toEqual([])
  expect(await one.get(key)).toBe(null)
  expect(await Array.fromAsync(two.listOlderThan(Date.now() + 3_600_000))).toEqual([[key]])
})

test('a presigned URL downloads the blob under its name without credentials', async () => {
  const store = await open()
  const bytes = sampleBytes(1000)
  const { key } = await store.put(inChunks(bytes, 100))
  const expiresAt = Date.now() + 60_000
  const url = await store.presign(key, {
    method: 'GET',
    expiresAt,
    filename: 'bericht "ü".csv',
    contentType: 'text/csv',
  })
  expect(new URL(url!).searchParams.get('X-Amz-Expires')).toMatch(/^(59|60)$/)
  const response = await fetch(url!)
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  expect(response.headers.get('content-type')).toContain('text/csv')
  expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''bericht%20%22%C3%BC%22.csv")
  const forHead = { method: 'HEAD', expiresAt, filename: 'x.csv', contentType: 'text/csv' } as const
  const head = await fetch((await store.presign(key, forHead))!, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000'])
  expect(await store.presign('../x', { method: 'GET', expiresAt, filename: 'x', contentType: 'text/csv' })).toBe(null)
})

test('a missing bucket is reported by ping, put and get', async () => {
  const store = await open({ bucket: 'nowhere' })
  const message = `The bucket nowhere at ${server.endpoint} refuses (NoSuchBucket, 404). Create the bucket, or correct MILLRACE_BLOB_URL.`
  const refused = { code: 'storage_unavailable', message, cause: { name: 'NoSuchBucket' } }
  await expect(store.ping()).rejects.toMatchObject(refused)
  await expect(store.put(inChunks(sampleBytes(10), 10))).rejects.toMatchObject(refused)
  await expect(store.put(inChunks(sampleBytes(20_000_000), 700_000))).rejects.toMatchObject(refused)
  await expect(store.get('0'.repeat(32))).rejects.toMatchObject(refused)
  await expect(store.delete('0'.repeat(32))).rejects.toMatchObject(refused)
})

test('a store that is down is reported by ping, put, get and delete', async () => {
  const store = await open({ endpoint: `http://127.0.0.1:${await freePort()}` })
  const refused = { code: 'storage_unavailable', message: expect.stringContaining('cannot be reached (ECONNREFUSED)') }
  await expect(store.ping()).rejects.toMatchObject(refused)
  await expect(store.put(inChunks(sampleBytes(10), 10))).rejects.toMatchObject(refused)
  await expect(store.put(inChunks(sampleBytes(20_000_000), 700_000))).rejects.toMatchObject(refused)
  await expect(store.get('0'.repeat(32))).rejects.toMatchObject(refused)
  await expect(store.delete('0'.repeat(32))).rejects.toMatchObject(refused)
})

test('an upload whose completion is answered with 200 and an error is not stored', async () => {
  const requests: string[] = []
  const faulty = await serve((request, response) => {
    const [method, url] = [request.method!, request.url!]
    requests.push(method)
    if (method !== 'POST' || url.includes('uploads')) return take(request, response)
    const fault = '<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>Again, please.</Message></Error>'
    request.resume().on('end', () => response.end(fault))
  })
  const store = await open({ endpoint: `http://127.0.0.1:${faulty.port}` })
  await expect(store.put(inChunks(sampleBytes(20_000_000), 700_000))).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('InternalError'),
  })
  expect(requests.at(-1)).toBe('DELETE') // of its parts
})

test('a temporary S3 error is retried for writers and reported to readers', async () => {
  const s3 = await startSwitchableS3('blobs')
  const store = await open({ endpoint: s3.endpoint, prefix: 'faulty/' })
  const failFor = (times: number) => {
    let faults = 0
    s3.fault = (_, response) => ++faults <= times && refuse(response, 500, 'InternalError')
  }
  failFor(5)
  const { key } = await store.put(inChunks(sampleBytes(1000), 100))
  failFor(5)
  await expect(store.get(key)).rejects.toMatchObject({ code: 'storage_unavailable' })
  failFor(5)
  await expect(store.ping()).rejects.toMatchObject({ code: 'storage_unavailable' })
  s3.fault = null
  expect(await readAll(await store.get(key))).toHaveLength(1000)
  await s3.close()
})

/** Answers every GET this way. */
const openAnswering = async (answer: (response: import('node:http').ServerResponse) => void) => {
  const s3 = await serve((_, response) => answer(response))
  return open({ endpoint: `http://127.0.0.1:${s3.port}` })
}
const ANY = '0'.repeat(32)

test('an object overwritten by somebody else is damaged before its first byte is returned', async () => {
  const store = await open()
  const { key, size } = await store.put(inChunks(sampleBytes(1000), 100))
  const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: S3_KEYS,
    forcePathStyle: true,
  })
  await client.send(new PutObjectCommand({ Bucket: 'blobs', Key: key, Body: 'something else' }))
  client.destroy()
  const message = `The blob ${key} has 14 bytes, and had 1000 when it was stored.`
  await expect(store.get(key, { size })).rejects.toMatchObject({ code: 'content_damaged', message })
  await expect(store.get(key, { start: 3, end: 5, size })).rejects.toMatchObject({ code: 'content_damaged', message })
  await expect(store.get(key, { start: 500, size })).rejects.toMatchObject({ code: 'content_damaged' })
})

test('a response that breaks off is storage_unavailable to the reader', async () => {
  const store = await openAnswering(response => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write(Buffer.alloc(500), () => response.destroy())
  })
  const content = await store.get(ANY, { size: 1000 })
  await expect(readAll(content)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('The bucket blobs at http://127.0.0.1'),
  })
})

test('a response without a length and of another size than stored is storage_unavailable', async () => {
  const store = await openAnswering(response => {
    response.write(Buffer.alloc(500))
    response.end()
  })
  const away = { code: 'storage_unavailable' }
  await expect(store.get(ANY, { size: 1000 }).then(readAll)).rejects.toMatchObject(away)
  await expect(store.get(ANY, { size: 499 }).then(readAll)).rejects.toMatchObject(away)
  expect(await store.get(ANY, { size: 500 }).then(readAll)).toHaveLength(500)
  const inPart = await openAnswering(response => {
    response.writeHead(206, { 'content-range': 'bytes 10-19/1000' })
    response.write(Buffer.alloc(9))
    response.end()
  })
  await expect(inPart.get(ANY, { start: 10, end: 19, size: 1000 }).then(readAll)).rejects.toMatchObject(away)
  await expect(inPart.get(ANY, { start: 990, size: 1000 }).then(readAll)).rejects.toMatchObject(away)
})

test('a reader that stops half-way leaves no connection open', async () => {
  const endless = await serve((_, response) => {
    response.writeHead(200, { 'content-length': String(1e12) })
    const more = () => response.write(Buffer.alloc(65_536))
    response.on('drain', more)
    more()
  })
  const store = await open({ endpoint: `http://127.0.0.1:${endless.port}` })
  const contents = await Promise.all([store.get(ANY), store.get(ANY), store.get(ANY)])
  const connections = () => promisify(endless.server.getConnections.bind(endless.server))()
  expect(await connections()).toBe(3)
  for (const content of contents) content!.destroy()
  await expect.poll(connections).toBe(0)
})

test('orphans are found with keys that may not list uploads', async () => {
  const s3 = await startSwitchableS3('blobs')
  const store = await open({ endpoint: s3.endpoint, prefix: 'narrow/' })
  const { key } = await store.put(inChunks(sampleBytes(10), 10))
  s3.fault = ({ path }, response) => path.includes('uploads') && refuse(response, 403, 'AccessDenied')
  expect(await Array.fromAsync(store.listOlderThan(Date.now() + 3_600_000))).toEqual([[key]])
  await s3.close()
})

test('a response with the whole object instead of the requested range is refused', async () => {
  const store = await openAnswering(response => response.end(Buffer.alloc(1000)))
  await expect(store.get(ANY, { start: 10, end: 19, size: 1000 })).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('RangeIgnored'),
  })
})

test('an object archived by a lifecycle rule is reported as such', async () => {
  const store = await openAnswering(response =>
    response.writeHead(403).end('<Error><Code>InvalidObjectState</Code><Message>Glacier</Message></Error>'),
  )
  await expect(store.get(ANY)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('A rule of the bucket has archived the object'),
  })
})

test('parts are larger than 8 MiB where maxBytes would need too many of them', async () => {
  const sizes: number[] = []
  const counting = await serve((request, response) => {
    if (request.method === 'PUT') sizes.push(Number(request.headers['content-length']))
    take(request, response)
  })
  const store = await open({ endpoint: `http://127.0.0.1:${counting.port}` })
  await store.put(inChunks(sampleBytes(20_000_000), 700_000), { maxBytes: 100 * 2 ** 30 })
  expect(sizes).toEqual([Math.ceil((100 * 2 ** 30) / 10_000), expect.any(Number)])
})

test('concurrent pings share one request, and a success is reused for a moment', async () => {
  const counting = await serve((_, response) => response.end())
  const store = await open({ endpoint: `http://127.0.0.1:${counting.port}` })
  await Promise.all(Array.from({ length: 20 }, () => store.ping()))
  await store.ping()
  expect(counting.requests).toHaveLength(1)
})

test('an upload of any size holds only a few parts in memory', async () => {
  const counting = await serve(take)
  const store = await open({ endpoint: `http://127.0.0.1:${counting.port}` })
  const chunk = sampleBytes(65_536)
  const total = 256 * 1024 * 1024
  async function* large() {
    for (let sent = 0; sent < total; sent += chunk.length) yield chunk
  }
  const before = process.memoryUsage().arrayBuffers
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  }, 5)
  const { size } = await store.put(large())
  clearInterval(watch)
  expect(size).toBe(total)
  expect(counting.requests.filter(({ method }) => method === 'PUT')).toHaveLength(32)
  expect(most - before).toBeLessThan(128 * 1024 * 1024)
})
