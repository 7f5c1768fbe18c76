import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { S3_KEYS, type S3Server, startS3Server } from './s3-server.ts'

let s3: S3Server
let server: TestServer

beforeAll(async () => {
  s3 = await startS3Server('blobs')
  // Where the clients of AWS look for keys: this server process is the test's own.
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

test('a server keeps logs and artifacts in S3 and gives them back', async () => {
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
