import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase } from '../test-database.ts'

const HOUR = 3_600_000
let setBack = 0
let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ clock: { now: () => Date.now() - setBack, monotonic: () => performance.now() } })
})
afterAll(() => server.stop())

test('with the clock set back an hour, running jobs end, retries are on time, and new jobs run', async () => {
  const submit = async (body: object): Promise<string> => (await server.call('POST', '/v1/jobs', body)).body.job_id
  const ended = async (id: string) => (await server.call('GET', `/v1/jobs/${id}?wait=30`)).body
  const running = await submit({ command: 'sleep 2; echo done' })
  const retried = await submit({
    command: '[ "$MILLRACE_ATTEMPT" = 2 ]',
    retry: { maximum_attempts: 2, initial_interval: '3s' },
  })
  await expect.poll(async () => (await server.call('GET', `/v1/jobs/${retried}`)).body.status).toBe('pending')
  setBack = HOUR
  const later = await submit({ command: 'echo later' })
  expect((await ended(later)).status).toBe('completed')
  expect((await ended(running)).status).toBe('completed')
  expect(await ended(retried)).toMatchObject({ status: 'completed', attempt: 2 })
  const { body } = await server.call('GET', '/v1/jobs')
  expect(body.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([later, retried, running])
}, 60_000)

test('with the clock set forward an hour, as after a suspend, running jobs stay in their attempt', async () => {
  const { body: submitted } = await server.call('POST', '/v1/jobs', {
    command: 'sleep 6; echo done',
    restartable: false,
  })
  const path = `/v1/jobs/${submitted.job_id}`
  await expect.poll(async () => (await server.call('GET', path)).body.status, { timeout: 10_000 }).toBe('running')
  setBack -= HOUR
  expect((await server.call('GET', `${path}?wait=30`)).body).toMatchObject({ status: 'completed', attempt: 1 })
}, 60_000)

test('the age of the oldest queued job follows the clock of the database, not that of a server that is ahead', async () => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  const ahead = await startTestServer({
    clock: { now: () => Date.now() + HOUR, monotonic: () => performance.now() },
    settings: { 'database-url': database.url, roles: 'api' },
  })
  onTestFinished(() => ahead.stop())
  await ahead.call('POST', '/v1/jobs', { command: 'echo waits for a worker' })
  const response = await fetch(`${ahead.url}/metrics`, { headers: { authorization: `Bearer ${ahead.token}` } })
  const seconds = Number(/^millrace_oldest_queued_seconds (.+)$/m.exec(await response.text())![1])
  expect(seconds).toBeLessThan(HOUR / 1000 / 2)
})
