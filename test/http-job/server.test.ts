import { afterAll, beforeAll, expect, test } from 'vitest'
import { serve } from '../fetch/local-server.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ settings: { 'allow-private-addresses': '127.0.0.1' } })
})
afterAll(() => server.stop())

const run = (http: Record<string, unknown>, fields: Record<string, unknown> = {}) =>
  server.run({ http: { ...http }, ...fields })

test('a heartbeat completes with status and time, with the response as its result and a log line', async () => {
  const other = await serve((_, response) => response.end('alive'))
  const job = await run({ url: `http://127.0.0.1:${other.port}/` })
  expect(job).toMatchObject({ kind: 'http', status: 'completed', statistics: { http_status: 200, bytes: 5 } })
  const result = await server.call('GET', `/v1/jobs/${job.job_id}/result`)
  expect(result.body).toMatchObject({ status: 200, body: 'alive', body_truncated: false })
  const { body: log } = await server.call('GET', `/v1/jobs/${job.job_id}/logs`)
  expect(log.lines).toHaveLength(1)
  expect(log.lines[0].line).toMatch(/GET http:\/\/127\.0\.0\.1:\d+\/: 200 in \d+ ms, 5 bytes$/)
})

test('a wrong status follows the retry policy, and a secret header is sent and never shown', async () => {
  let tries = 0
  const other = await serve((request, response) => {
    tries += 1
    response.writeHead(tries < 3 ? 500 : 200).end(`you sent ${request.headers.authorization}`)
  })
  const url = `http://127.0.0.1:${other.port}/`
  const job = await run({ url, headers: { Authorization: 'Bearer s3cret-value' } }, { retry: { maximum_attempts: 3 } })
  expect(job).toMatchObject({ status: 'completed', attempt: 3, spec: { http: { headers: { Authorization: '***' } } } })
  expect(other.requests[0]?.headers.authorization).toBe('Bearer s3cret-value')
  const { body: log } = await server.call('GET', `/v1/jobs/${job.job_id}/logs`)
  expect(JSON.stringify([job, log])).not.toContain('s3cret-value')
  expect(JSON.stringify(log)).toContain('you sent')
})

test('unexpected_status and a private address are job errors', async () => {
  const other = await serve((_, response) => response.writeHead(404).end('nothing here'))
  const failed = await run({ url: `http://127.0.0.1:${other.port}/`, expected_status: [200, 204] })
  expect(failed.error).toEqual({ code: 'unexpected_status', message: 'Expected status 200 or 204, got 404.' })
  const refused = await run({ url: `http://[::1]:${other.port}/` })
  expect(refused.error.code).toBe('address_refused')
})

test('a request to a server that never answers ends at the timeout of the job', async () => {
  const other = await serve(() => {})
  const job = await run({ url: `http://127.0.0.1:${other.port}/` }, { timeout_seconds: 1 })
  expect(job).toMatchObject({ status: 'failed', error: { code: 'timeout' } })
})

test.each([
  [{ url: 'ftp://example.com' }, 'http.url'],
  [{ url: 'nonsense' }, 'http.url'],
  [{ url: 'http://x', method: 'TRACE' }, 'http.method'],
  [{ url: 'http://x', headers: { 'a b': 'c' } }, 'http.headers'],
  [{ url: 'http://x', headers: { a: 'b\r\nc: d' } }, 'http.headers.a'],
  [{ url: 'http://x', headers: { a: '€' } }, 'http.headers.a'],
  [{ url: 'http://x', expected_status: 99 }, 'http.expected_status'],
  [{ url: 'http://x', expected_status: [] }, 'http.expected_status'],
  [{ url: 'http://x', body: 5 }, 'http.body'],
  [{ url: 'http://x', follow: true }, 'http.follow'],
  [{}, 'http.url'],
])('%j is refused with the path %s', async (http, path) => {
  const { status, body } = await server.call('POST', '/v1/jobs', { http })
  expect(status).toBe(422)
  expect(body.errors.map((error: { path: string }) => error.path).join()).toContain(path)
})

test('a timeout of more than five minutes is refused', async () => {
  const { status, body } = await server.call('POST', '/v1/jobs', { http: { url: 'http://x' }, timeout_seconds: 301 })
  expect([status, body.errors]).toEqual([422, [{ path: 'timeout_seconds', message: 'must be at most 300' }]])
})
