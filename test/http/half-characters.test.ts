import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { BODIES } from './hostile-values.ts'

// JSON can write half a surrogate pair, UTF-8 cannot: one in a job would make every list that shows the job unreadable for jq.

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const HALF = 'a\ud800b'

const post = async (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') => {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, text: await response.text() }
}

const expectRefusal = (answer: { status: number; text: string }, path: string, wanted = 422): void => {
  const { status, text } = answer
  expect(status, text).toBe(wanted)
  const problem = JSON.parse(text)
  expect(problem).toMatchObject({ code: 'invalid', errors: [{ path }] })
  expect(problem.detail.isWellFormed()).toBe(true)
}

/** The value with each of its strings and names replaced by half a surrogate pair in turn. */
function* spoiled(value: unknown, path = ''): Generator<{ value: unknown; path: string }> {
  if (typeof value === 'string') yield { value: HALF, path }
  if (typeof value !== 'object' || value === null) return
  const isList = Array.isArray(value)
  if (!isList) yield { value: { ...value, [HALF]: 1 }, path }
  for (const [name, field] of Object.entries(value)) {
    for (const inner of spoiled(field, path === '' ? name : `${path}.${name}`))
      yield { ...inner, value: isList ? value.with(Number(name), inner.value) : { ...value, [name]: inner.value } }
  }
}

const JOBS: readonly Record<string, unknown>[] = [
  {
    command: ['printf', 'x'],
    stdin: 'x',
    artifacts: ['a'],
    working_dir: '/tmp',
    environment: { A_KEY: 'secret-value' },
  },
  { query: 'SELECT 1', parameters: { a: 'b', c: ['d', { e: 'f' }] } },
  { http: { url: 'https://example.com', headers: { 'X-Key': 'b' }, body: 'c' } },
  { api: 'f', parameters: { a: ['b'] } },
  { import: { datasource: 'd', url: 'https://example.com/a.csv' } },
  { command: 'x', sinks: [{ type: 'webhook', url: 'https://example.com', secret: 'b' }] },
]

describe('half a surrogate pair', () => {
  test.each(BODIES)('is refused in every text and name of a body for %s, with its path', async (path, body) => {
    for (const { value, path: place } of spoiled(body)) expectRefusal(await post(path, value), place)
  })

  test.each(JOBS)('is refused in every text and name of the job %j, in every body that contains it', async job => {
    for (const { value, path } of spoiled(job)) {
      const below = (prefix: string) => (path === '' ? prefix : `${prefix}.${path}`)
      expectRefusal(await post('/v1/jobs', value), path)
      expectRefusal(await post('/v1/jobs', value, { 'idempotency-key': crypto.randomUUID() }), path)
      expectRefusal(await post('/v1/jobs/batch', { jobs: [job, value] }), below('jobs.1'))
      expectRefusal(await post('/v1/workflows', { name: 'w', payload: [value] }), below('payload.0'))
      expectRefusal(await post('/v1/workflows/w', { name: 'w', payload: [value] }, {}, 'PUT'), below('payload.0'))
    }
  })

  test('is refused by the /v0 routes', async () => {
    expectRefusal(await post('/v0/sql', { q: HALF }), 'q', 400)
    expectRefusal(await post('/v0/datasources', { name: 'n', schema: HALF, mode: 'create' }), 'schema', 400)
  })

  test('is in nothing that can be read afterwards', async () => {
    for (const path of ['/v1/jobs', '/v1/workflows', '/v1/datasources', '/v1/pipes', '/v1/tokens']) {
      const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.token}` } })
      expect(response.status).toBe(200)
      expect(await response.text()).not.toMatch(/\\ud[89a-f]/i)
    }
  })
})
