import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { receive, webhook } from './receiver.ts'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'allow-private-addresses': '127.0.0.1' } })
})
afterAll(() => server.stop())

const deliveries = async (query: string) => (await server.call('GET', `/v1/deliveries?${query}`)).body.deliveries

test('the end of a single job is sent to its sink, signed, and its secret is shown nowhere', async () => {
  const receiver = await receive((_, response) => response.end())
  const job = await server.run({ command: 'true', sinks: [webhook(receiver.url, { secret: SECRET })] })
  await vi.waitFor(() => expect(receiver.bodies).toHaveLength(1), { timeout: 30_000 })
  const headers = receiver.requests[0]!.headers as Record<string, string>
  const event = new Webhook(SECRET).verify(receiver.bodies[0]!, headers) as Record<string, unknown>
  expect(event).toMatchObject({
    type: 'job.completed',
    data: { run_id: null, job: { job_id: job.job_id }, result: null },
  })
  const told = await vi.waitFor(
    async () => {
      const [delivery] = await deliveries(`job_id=${job.job_id}`)
      expect(delivery.status).toBe('delivered')
      return delivery
    },
    { timeout: 30_000 },
  )
  expect(headers['webhook-id']).toBe(told.delivery_id)
  expect(JSON.stringify([job, told, receiver.bodies])).not.toContain(SECRET)
})

test('each item of a run is sent once, after its last attempt, except cancelled ones and failed ones with skip_on_fail', async () => {
  const receiver = await receive((_, response) => response.end())
  const created = await server.call('POST', '/v1/workflows', {
    name: 'told',
    payload: [{ command: 'exit 0' }, { command: 'exit 3' }, { command: 'exit 3', name: 'other' }],
    configuration: { retry: { maximum_attempts: 2 } },
    sinks: [webhook(receiver.url), webhook(`${receiver.url}?quiet`, { skip_on_fail: true })],
  })
  expect(created.status).toBe(201)
  const { body: run } = await server.call('POST', '/v1/workflows/told/trigger')
  await vi.waitFor(
    async () => {
      const all = await deliveries(`run_id=${run.run_id}`)
      expect(all.map(({ status }: { status: string }) => status)).toEqual(Array(4).fill('delivered'))
    },
    { timeout: 40_000, interval: 100 },
  )
  const events = receiver.bodies.map(body => JSON.parse(body))
  expect(events.map(({ type }) => type).sort()).toEqual(['job.completed', 'job.completed', 'job.failed', 'job.failed'])
  for (const { type, data } of events) {
    expect(data).toMatchObject({ run_id: run.run_id, workflow_id: created.body.workflow_id })
    expect(data.job.attempt).toBe(type === 'job.failed' ? 2 : 1)
  }
})

test('a receiver at a private address is never contacted, and the delivery says why', async () => {
  const job = await server.run({
    command: 'true',
    sinks: [webhook('http://[::1]:9/'), webhook('http://169.254.169.254/')],
  })
  await vi.waitFor(
    async () => {
      const all = await deliveries(`job_id=${job.job_id}`)
      expect(all.map(({ last_error }: { last_error: string }) => last_error)).toEqual([
        expect.stringMatching(/^address_refused: /),
        expect.stringMatching(/^address_refused: /),
      ])
    },
    { timeout: 30_000, interval: 100 },
  )
})

test('an S3 sink without its own keys is refused, since it never gets those of the server', async () => {
  const { status, body } = await server.call('POST', '/v1/jobs', {
    command: 'true',
    sinks: [{ type: 's3', bucket: 'results' }],
  })
  expect(status).toBe(422)
  const paths = body.errors.map(({ path }: { path: string }) => path)
  expect(paths).toEqual(['sinks.0.access_key_id', 'sinks.0.secret_access_key'])
})
