import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'

let database: TestDatabase
let shared: string
let front: TestServer
let worker: TestServer

/** One server that only takes requests and one that only runs jobs, on one database, with their own data directories. */
beforeAll(async () => {
  database = await createTestDatabase()
  shared = mkdtempSync(join(tmpdir(), 'millrace-shared-'))
  const settings = {
    'database-url': database.url,
    'blob-url': `file://${shared}/blobs`,
    'secret-key': 'shared by both',
    'admin-token': 'the admin token of both servers',
  }
  front = await startTestServer({ settings: { ...settings, roles: 'api' } })
  worker = await startTestServer({ settings: { ...settings, roles: 'scheduler,worker' } })
})

afterAll(async () => {
  await front?.stop()
  await worker?.stop()
  await database?.drop()
  rmSync(shared, { recursive: true, force: true })
})

test('a job submitted to one server runs on the other, secrets and artifacts included', async () => {
  const command = 'printf "%s" "$A_TOKEN" | wc -c; echo made > made.txt'
  const job = await front.run({ command, environment: { A_TOKEN: 'twelve chars' }, artifacts: ['*.txt'] })
  expect(job).toMatchObject({ status: 'completed', worker_id: worker.engine.workerId })
  const { body: log } = await front.call('GET', `/v1/jobs/${job.job_id}/logs`)
  expect(log.lines.map((line: { line: string }) => line.line.trim())).toEqual(['12'])
  const { body: list } = await front.call('GET', `/v1/jobs/${job.job_id}/artifacts`)
  const { body: content } = await front.call('GET', `/v1/jobs/${job.job_id}/artifacts/${list.artifacts[0].artifact_id}`)
  expect(content).toBe('made\n')
})

test('invariant 7: a follower on one server sees the log of a job on the other while it runs, without gaps or duplicates', async () => {
  const { body: job } = await front.call('POST', '/v1/jobs', {
    command: 'for i in $(seq 1 40); do echo line $i; sleep 0.05; done',
  })
  const socket = new WebSocket(
    `${front.url.replace('http', 'ws')}/v1/jobs/${job.job_id}/logs?token=${encodeURIComponent(front.token)}`,
  )
  const lines: string[] = []
  let seenWhileRunning = 0
  socket.on('message', data => {
    const message = JSON.parse(String(data))
    if (message.line) lines.push(message.line)
  })
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBeGreaterThan(0)
  if ((await front.call('GET', `/v1/jobs/${job.job_id}`)).body.status === 'running') seenWhileRunning = lines.length
  await new Promise(resolve => socket.once('close', resolve))
  expect(lines).toEqual(Array.from({ length: 40 }, (_, index) => `line ${index + 1}`))
  expect(seenWhileRunning).toBeGreaterThan(0)
})

test('a cancel on one server reaches the job on the other within seconds', async () => {
  const { body: job } = await front.call('POST', '/v1/jobs', { command: 'sleep 600' })
  await expect
    .poll(async () => (await front.call('GET', `/v1/jobs/${job.job_id}`)).body.status, { timeout: 10_000 })
    .toBe('running')
  await front.call('POST', `/v1/jobs/${job.job_id}/cancel`)
  const { body: ended } = await front.call('GET', `/v1/jobs/${job.job_id}?wait=8`)
  expect(ended).toMatchObject({ status: 'cancelled', status_reason: 'cancelled_by_user' })
})
