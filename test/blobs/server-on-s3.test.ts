import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { S3_KEYS, type S3Server, startS3Server } from './s3-server.ts'
import { startSwitchableS3 } from './switchable-s3.ts'

let s3: S3Server
let server: TestServer

beforeAll(async () => {
  s3 = await startS3Server('blobs')
  // The default place for AWS credentials: this server process belongs to the test.
  vi.stubEnv('AWS_ACCESS_KEY_ID', S3_KEYS.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey)
  server = await startTestServer({
    settings: { 'blob-url': `s3://blobs/millrace?endpoint=${encodeURIComponent(s3.endpoint)}` },
  })
})
afterAll(async () => {
  await server.stop()
  await s3.close()
  vi.unstubAllEnvs()
})

test('a server stores logs and artifacts in S3 and returns them', async () => {
  const job = await server.run({
    command: 'seq 1 40000; head -c 3000000 /dev/zero > zero.bin; echo text > small.txt',
    artifacts: ['*.bin', '*.txt'],
  })
  expect(job.status).toBe('completed')
  const log = await server.call('GET', `/v1/jobs/${job.job_id}/logs?after=39998&limit=5`)
  expect(log.body.lines.map((line: { line: string }) => line.line)).toEqual(['39999', '40000'])
  const { artifacts } = (await server.call('GET', `/v1/jobs/${job.job_id}/artifacts`)).body
  const zero = artifacts.find((artifact: { name: string }) => artifact.name === 'zero.bin')
  const url = `${server.url}/v1/jobs/${job.job_id}/artifacts/${zero.artifact_id}`
  const headers = { authorization: `Bearer ${server.token}` }
  const whole = await fetch(url, { headers })
  expect((await whole.arrayBuffer()).byteLength).toBe(3_000_000)
  const part = await fetch(url, { headers: { ...headers, range: 'bytes=10-19' } })
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10])

  const redirected = await fetch(`${url}?redirect=true`, { headers, redirect: 'manual' })
  expect(redirected.status).toBe(302)
  const direct = await fetch(redirected.headers.get('location')!)
  expect((await direct.arrayBuffer()).byteLength).toBe(3_000_000)
})

test('blobs copied from a folder to a bucket are found there under their bucket names', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-moved-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const before = await startTestServer({ dataDir })
  const job = await before.run({ command: 'echo kept > kept.txt', artifacts: ['*.txt'] })
  await before.stop()
  // As docs/operations.md says: without the folder of its first two characters.
  const client = new S3Client({ endpoint: s3.endpoint, region: 'us-east-1', forcePathStyle: true })
  for (const path of readdirSync(join(dataDir, 'blobs'), { recursive: true, encoding: 'utf8' })) {
    if (!/^(..\/|blobs\.id$)/.test(path)) continue
    const Body = readFileSync(join(dataDir, 'blobs', path))
    await client.send(new PutObjectCommand({ Bucket: 'blobs', Key: `moved/${basename(path)}`, Body }))
  }
  client.destroy()
  rmSync(join(dataDir, 'blobs'), { recursive: true })
  const after = await startTestServer({
    dataDir,
    settings: { 'blob-url': `s3://blobs/moved?endpoint=${encodeURIComponent(s3.endpoint)}` },
  })
  onTestFinished(() => after.stop())
  const path = `/v1/jobs/${job.job_id}/artifacts`
  const [artifact] = (await after.call('GET', path)).body.artifacts
  const download = await fetch(`${after.url}${path}/${artifact.artifact_id}`, {
    headers: { authorization: `Bearer ${after.token}` },
  })
  expect([download.status, await download.text()]).toEqual([200, 'kept\n'])
})

test('the URL that a result is redirected to expires no later than the result', async () => {
  const own = await startTestServer({
    settings: {
      'blob-url': `s3://blobs/short?endpoint=${encodeURIComponent(s3.endpoint)}`,
      'result-ttl-hours': String(60 / 3600),
    },
  })
  onTestFinished(() => own.stop())
  const job = await own.run({ query: 'SELECT number FROM numbers(30000)', format: 'csv' })
  const redirected = await fetch(`${own.url}/v1/jobs/${job.job_id}/result?redirect=true`, {
    headers: { authorization: `Bearer ${own.token}` },
    redirect: 'manual',
  })
  const seconds = Number(new URL(redirected.headers.get('location')!).searchParams.get('X-Amz-Expires'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
})

test.each([
  ['is cancelled', {}, 'cancelled', 'cancelled_by_user'],
  ['runs out of its time', { timeout_seconds: 8 }, 'failed', 'timeout'],
])('a query whose rows S3 does not accept %s without waiting for it', async (_, body, status, reason) => {
  const uploadStarted = Promise.withResolvers<void>()
  const stuck = await startSwitchableS3('blobs')
  stuck.fault = ({ path }) => {
    if (!path.includes('partNumber=1')) return false
    uploadStarted.resolve()
    return true
  }
  const own = await startTestServer({
    settings: { 'blob-url': `s3://blobs/stuck?endpoint=${encodeURIComponent(stuck.endpoint)}` },
  })
  onTestFinished(async () => {
    await own.stop()
    await stuck.close()
  })
  await own.run({ query: 'SELECT 1' }) // its engine runs by then
  const query = 'SELECT number, cityHash64(number) AS hash FROM numbers(2000000)'
  const job = (await own.call('POST', '/v1/jobs', { query, ...body })).body
  await uploadStarted.promise
  if (status === 'cancelled') await own.call('DELETE', `/v1/jobs/${job.job_id}`)
  const ended = await own.call('GET', `/v1/jobs/${job.job_id}?wait=20`)
  expect(ended.body).toMatchObject({ status, status_reason: reason })
  expect(readdirSync(join(own.dataDir, 'warehouse/default/spool')).filter(name => name.startsWith('result-'))).toEqual(
    [],
  )
})
