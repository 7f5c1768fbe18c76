import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WORKSPACE } from '../conformance/suite/scene.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { sampleBytes } from './content.ts'
import { S3_KEYS, startS3Server } from './s3-server.ts'

type Place = {
  readonly server: TestServer
  /** As a bucket rule or a person would. */
  readonly remove: (key: string) => Promise<void>
  readonly shorten: (key: string) => Promise<void>
  readonly close: () => Promise<void>
}

const onFiles = async (): Promise<Place> => {
  const server = await startTestServer()
  const fileOf = (key: string): string => join(server.dataDir, 'blobs', key.slice(0, 2), key)
  return {
    server,
    remove: async key => rmSync(fileOf(key)),
    shorten: async key => truncateSync(fileOf(key), 10),
    close: server.stop,
  }
}

const onS3 = async (): Promise<Place> => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', S3_KEYS.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey)
  const s3 = await startS3Server('blobs')
  const client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true })
  const server = await startTestServer({
    settings: { 'blob-url': `s3://blobs/mill?endpoint=${encodeURIComponent(s3.endpoint)}` },
  })
  const object = (key: string) => ({ Bucket: 'blobs', Key: `mill/${key}` })
  return {
    server,
    remove: async key => void (await client.send(new DeleteObjectCommand(object(key)))),
    shorten: async key => void (await client.send(new PutObjectCommand({ ...object(key), Body: 'ten bytes.' }))),
    close: async () => {
      await server.stop()
      client.destroy()
      await s3.close()
      vi.unstubAllEnvs()
    },
  }
}

const SIZE = 300_000
const bytes = sampleBytes(SIZE)
const tag = `"${createHash('sha256').update(bytes).digest('hex')}"`

describe.each([
  ['in files', onFiles],
  ['in S3', onS3],
])('downloads of blobs %s', (_where, open) => {
  let place: Place
  let job: string
  let path: string
  let modified: string
  beforeAll(async () => {
    place = await open()
    job = (await place.server.run({ command: 'true' })).job_id
    path = (await upload('content.bin', bytes)).path
    modified = (await get(path, {}, 'HEAD')).headers.get('last-modified')!
  })
  afterAll(() => place?.close())

  const headers = () => ({ authorization: `Bearer ${place.server.token}` })
  const upload = async (name: string, content: Uint8Array<ArrayBuffer>) => {
    const form = new FormData()
    form.append('file', new Blob([content]), name)
    const url = `${place.server.url}/v1/jobs/${job}/artifacts`
    const answer = await fetch(url, { method: 'POST', headers: headers(), body: form })
    const [artifact] = ((await answer.json()) as { artifacts: { artifact_id: string }[] }).artifacts
    const artifactId = artifact!.artifact_id
    const found = await place.server.store.getArtifact({ workspace: WORKSPACE, jobId: job, artifactId })
    return { path: `/v1/jobs/${job}/artifacts/${artifactId}`, key: found!.blobKey }
  }
  const get = (of: string, more: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(place.server.url + of, { method, headers: { ...headers(), ...more }, redirect: 'manual' })
  const contentOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer())
  const daysLater = (days: number): string => new Date(Date.parse(modified) + days * 86_400_000).toUTCString()

  test('have the creation time of the content as Last-Modified', async () => {
    const { created_at } = (await place.server.call('GET', `/v1/jobs/${job}/artifacts`)).body.artifacts[0]
    expect(modified).toBe(new Date(created_at).toUTCString())
  })

  test.each(['GET', 'HEAD'])('honour the preconditions of a %s request', async method => {
    const status = async (more: Record<string, string>) => (await get(path, more, method)).status
    expect(await status({ 'if-match': tag })).toBe(200)
    expect(await status({ 'if-match': `"other", ${tag}` })).toBe(200)
    expect(await status({ 'if-match': '*' })).toBe(200)
    expect(await status({ 'if-match': '"other"' })).toBe(412)
    expect(await status({ 'if-match': `W/${tag}` })).toBe(412)
    expect(await status({ 'if-unmodified-since': modified })).toBe(200)
    expect(await status({ 'if-unmodified-since': daysLater(-1) })).toBe(412)
    expect(await status({ 'if-unmodified-since': 'last week' })).toBe(200)
    expect(await status({ 'if-none-match': tag })).toBe(304)
    expect(await status({ 'if-none-match': '"other"' })).toBe(200)
    expect(await status({ 'if-modified-since': modified })).toBe(304)
    expect(await status({ 'if-modified-since': daysLater(-1) })).toBe(200)
    expect(await status({ 'if-match': '"other"', 'if-none-match': tag })).toBe(412)
  })

  test('with a failed precondition are refused with a problem and the current tag', async () => {
    const response = await get(path, { 'if-match': '"other"', range: 'bytes=0-1' })
    expect([response.status, response.headers.get('etag')]).toEqual([412, tag])
    expect(await response.json()).toMatchObject({ code: 'precondition_failed', status: 412 })
  })

  test('can be resumed when the content is still the same', async () => {
    const range = 'bytes=299990-'
    for (const validator of [tag, modified]) {
      const response = await get(path, { range, 'if-range': validator })
      expect([response.status, response.headers.get('content-range')]).toEqual([206, 'bytes 299990-299999/300000'])
      expect((await contentOf(response)).equals(bytes.subarray(299_990))).toBe(true)
    }
    for (const validator of ['"other"', `W/${tag}`, daysLater(-1), daysLater(1), 'last week']) {
      const response = await get(path, { range, 'if-range': validator })
      expect([response.status, (await contentOf(response)).length]).toEqual([200, SIZE])
    }
    expect((await get(path, { range, 'if-match': tag })).status).toBe(206)
    expect((await get(path, { range, 'if-none-match': tag })).status).toBe(304)
    expect((await get(path, { range: `bytes=${SIZE}-`, 'if-range': '"other"' })).status).toBe(200)
    expect((await get(path, { range: `bytes=${SIZE}-`, 'if-range': tag })).status).toBe(416)
  })

  test.each([
    ['thousands of ranges', `bytes=${Array.from({ length: 4000 }, () => '0-').join(',')}`, 200],
    ['a number of thousands of digits', `bytes=${'9'.repeat(8000)}-`, 416],
    ['an end of thousands of digits', `bytes=0-${'9'.repeat(8000)}`, 206],
    ['a range after the end', 'bytes=5-2', 200],
    ['an unreadable range', 'bytes=--1', 200],
  ])('with %s do no harm', async (_what, range, status) => {
    const response = await get(path, { range })
    expect(response.status).toBe(status)
    expect((await contentOf(response)).equals(bytes)).toBe(status !== 416)
  })

  test('of empty content are empty, whatever the range', async () => {
    const { path: empty } = await upload('empty.bin', new Uint8Array(0))
    for (const more of [{}, { range: 'bytes=0-' }, { range: 'bytes=-5' }, { range: 'bytes=3-9' }] as Record<
      string,
      string
    >[]) {
      const response = await get(empty, more)
      expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', ''])
    }
    expect((await get(empty, {}, 'HEAD')).status).toBe(200)
  })

  test('of removed content answer 410 to GET, HEAD and requests for a redirect', async () => {
    const { path: gone, key } = await upload('gone.bin', sampleBytes(1234))
    await place.remove(key)
    for (const target of [gone, `${gone}?redirect=true`]) {
      const response = await get(target)
      expect([response.status, response.headers.get('etag')]).toEqual([410, null])
      expect(await response.json()).toMatchObject({ code: 'gone' })
      expect((await get(target, {}, 'HEAD')).status).toBe(410)
    }
  })

  test('of truncated content are refused before the first byte, for GET, HEAD and ranges', async () => {
    const { path: damaged, key } = await upload('damaged.bin', sampleBytes(4321))
    await place.shorten(key)
    for (const more of [{}, { range: 'bytes=4000-' }, { range: 'bytes=0-4' }] as Record<string, string>[]) {
      const response = await get(damaged, more)
      expect([response.status, response.headers.get('etag')]).toEqual([500, null])
      expect(await response.json()).toMatchObject({ code: 'content_damaged', detail: expect.stringContaining(key) })
    }
    expect((await get(damaged, {}, 'HEAD')).status).toBe(500)
  })

  test.each(['removed', 'shortened'])(
    'of content that was %s work again for all artifacts once the same content is uploaded',
    async how => {
      const content = sampleBytes(how === 'removed' ? 7001 : 7002)
      const first = await upload(`${how}-first.bin`, content)
      await (how === 'removed' ? place.remove(first.key) : place.shorten(first.key))
      expect((await get(first.path)).ok).toBe(false)
      const second = await upload(`${how}-second.bin`, content)
      const third = await upload(`${how}-third.bin`, content)
      for (const { path: of } of [first, second, third]) {
        const response = await get(of)
        expect([response.status, (await contentOf(response)).equals(content)]).toEqual([200, true])
      }
      expect([second.key === first.key, third.key === second.key]).toEqual([false, true])
    },
  )

  test('by clients that stop reading do not delay others', async () => {
    const large = await upload('large.bin', sampleBytes(20_000_000))
    const { port } = new URL(place.server.url)
    const sockets = Array.from({ length: 40 }, () => connect(Number(port), '127.0.0.1'))
    for (const socket of sockets) {
      await once(socket, 'connect')
      socket.pause()
      socket.write(`GET ${large.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${place.server.token}\r\n\r\n`)
    }
    const response = await get(path)
    expect((await contentOf(response)).equals(bytes)).toBe(true)
    for (const socket of sockets) socket.destroy()
    expect((await get(large.path, { range: 'bytes=0-4' })).status).toBe(206)
  })
})
