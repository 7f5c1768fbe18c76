import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACCESS } from '../../src/http/auth/access.ts'
import type { TestServer } from '../server.ts'
import { BODIES, COLUMN, INJECTIONS, NODE, ODD, SCHEDULE, SINKS } from './hostile-values.ts'
import { NOBODY } from './scenario.ts'

let server: TestServer
let live: string

/** Left out: streams stay open when they succeed, and cancelling everything is not a wrong request. */
const ROUTES = Object.keys(ACCESS)
  .filter(name => !/events|docs|metrics|readyz|jobs\/cancel/.test(name))
  .map(name => name.split(' ') as [method: string, pattern: string])

/** Sends anything; whatever it is, the answer is one of ours and not a server fault. */
const send = async (method: string, path: string, init: RequestInit = {}): Promise<number> => {
  const response = await fetch(server.url + path, {
    method,
    ...init,
    headers: { authorization: `Bearer ${server.token}`, ...(init.headers as Record<string, string>) },
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  expect(response.status, `${method} ${path} ${String(init.body).slice(0, 200)}: ${text.slice(0, 500)}`).toBeLessThan(
    500,
  )
  if (response.status >= 400)
    expect(JSON.parse(text)).toMatchObject({ status: response.status, code: expect.any(String) })
  return response.status
}

const sendJson = (method: string, path: string, body: string) =>
  send(method, path, { body, headers: { 'content-type': 'application/json' } })

/** No request causes a server fault, over the given store. */
export const hostileSuite = (start: () => Promise<TestServer>): void => {
  beforeAll(async () => {
    server = await start()
    const later = { command: 'true', scheduled_at: new Date(Date.now() + 3_600_000).toISOString() }
    live = (await server.call('POST', '/v1/jobs', later)).body.job_id
    const { status } = await server.call('POST', '/v1/workflows', { name: 'waiting', payload: [{ command: 'true' }] })
    expect(status).toBe(201)
    expect((await server.call('POST', '/v1/datasources', { name: 'there', schema: 'n UInt8' })).status).toBe(201)
  })
  afterAll(() => server?.stop())

  test.each(BODIES)('wrong values in every field of a body for %s', async (path, body) => {
    for (const field of Object.keys(body)) {
      // A job that is valid except for this field must not run if the odd value happens to be valid too.
      const rest = path === '/v1/jobs' ? { ...body, scheduled_at: '2020-01-01T00:00:00Z' } : body
      for (const odd of ODD) await sendJson('POST', path, JSON.stringify({ ...rest, [field]: odd }))
      if (typeof body[field] !== 'object' || body[field] === null || Array.isArray(body[field])) continue
      for (const odd of ODD)
        await sendJson('POST', path, JSON.stringify({ ...rest, [field]: { [JSON.stringify(odd)]: odd } }))
    }
  })

  test('wrong values in every field of a schedule and of a sink', async () => {
    const definition = (more: object) => JSON.stringify({ name: 'odd', payload: [{ command: 'true' }], ...more })
    const check = (more: object) => sendJson('POST', '/v1/workflows/check', definition(more))
    for (const odd of ODD) {
      for (const field of Object.keys(SCHEDULE)) {
        await check({ schedule: { ...SCHEDULE, [field]: odd } })
        await sendJson('POST', '/v1/schedules/preview', JSON.stringify({ schedule: { ...SCHEDULE, [field]: odd } }))
      }
      for (const list of ['intervals', 'calendars', 'crons', 'exclude']) await check({ schedule: { [list]: [odd] } })
      for (const sink of SINKS)
        for (const field of Object.keys(sink)) await check({ sinks: [{ ...sink, [field]: odd }] })
    }
  })

  test('wrong values in every field of a column and of a node, and texts beyond their limits', async () => {
    for (const odd of [...ODD, ...INJECTIONS]) {
      for (const field of Object.keys(COLUMN)) {
        const schema = [{ ...COLUMN, [field]: odd }]
        await sendJson('POST', '/v1/datasources', JSON.stringify({ name: 'odd_column', schema }))
        await sendJson('PUT', '/v1/datasources/there', JSON.stringify({ schema: [COLUMN, ...schema] }))
      }
      for (const field of Object.keys(NODE)) {
        const { materialize_into, ...copy } = NODE
        const node = field === 'materialize_into' ? { name: 'a', sql: NODE.sql } : copy
        const nodes = [{ ...node, [field]: odd }]
        await sendJson('POST', '/v1/pipes', JSON.stringify({ name: 'odd_node', nodes }))
        await sendJson('PUT', '/v1/pipes/odd_node', JSON.stringify({ name: 'odd_node', nodes }))
      }
      for (const field of ['name', 'schema', 'engine', 'sorting_key', 'partition_key', 'ttl'])
        await sendJson('POST', '/v1/datasources', JSON.stringify({ name: 'odd_key', schema: 'n UInt8', [field]: odd }))
    }
    const { body } = await server.call('POST', '/v1/sql', { query: 'SELECT * FROM there' })
    expect(body).toEqual([])
  })

  test('random schedules', async () => {
    const field = fc.constantFrom('year', 'month', 'day_of_month', 'day_of_week', 'hour', 'minute', 'second', 'x')
    const number = fc.oneof(fc.integer({ min: -10, max: 100 }), fc.double(), fc.constantFrom('MON', '7', '*', 'L', ''))
    const range = fc.record({ start: number, end: number, step: number }, { requiredKeys: [] })
    const value = fc.oneof(number, range, fc.array(fc.oneof(number, range), { maxLength: 4 }))
    const calendar = fc.dictionary(field, value, { maxKeys: 4 })
    const duration = fc.oneof(fc.constantFrom('1s', '1h', '0', '5 parsecs', '1 year'), fc.double(), fc.integer())
    const schedule = fc.record(
      {
        intervals: fc.array(fc.record({ every: duration, offset: duration }, { requiredKeys: [] }), { maxLength: 2 }),
        calendars: fc.array(calendar, { maxLength: 2 }),
        crons: fc.array(fc.oneof(fc.string(), fc.constantFrom('@hourly', '* * * * *', '0 0 30 2 *')), { maxLength: 2 }),
        exclude: fc.array(calendar, { maxLength: 1 }),
        time_zone: fc.constantFrom('Europe/Berlin', 'UTC', 'Pacific/Apia', 'Mars', ''),
        jitter: duration,
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(schedule, async one => {
        await sendJson('POST', '/v1/schedules/preview', JSON.stringify({ schedule: one, count: 20 }))
      }),
      { numRuns: 150 },
    )
  })

  test('a payload of 10,001 items, and bodies of maximum size', async () => {
    const items = JSON.stringify({ name: 'many', payload: Array(10_001).fill({ command: 'true' }) })
    const long = JSON.stringify({ name: 'long', payload: [{ command: 'true' }], description: 'x'.repeat(1_000_000) })
    const list = JSON.stringify({
      name: 'list',
      payload: [{ command: 'true' }],
      schedule: { crons: Array(200_000).fill('') },
    })
    const hours = { calendars: [{ hour: Array(200_000).fill(1) }] }
    const calendar = JSON.stringify({ name: 'hours', payload: [{ command: 'true' }], schedule: hours })
    for (const path of ['/v1/workflows', '/v1/workflows/check'])
      for (const body of [items, long, list, calendar]) expect(await sendJson('POST', path, body)).toBe(422)
    expect(await sendJson('PUT', '/v1/workflows/waiting', items)).toBe(422)
    expect(await sendJson('POST', '/v1/schedules/preview', JSON.stringify({ schedule: hours }))).toBe(422)
    const objects = JSON.stringify({ parameters: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [i, i])) })
    expect(await sendJson('POST', '/v1/workflows/waiting/trigger', objects)).toBe(422)
    expect(await sendJson('POST', '/v1/notifications/read', JSON.stringify({ ids: Array(5000).fill(NOBODY) }))).toBe(
      413,
    )
    expect(await sendJson('POST', '/v1/workflows', `{"name":"${'x'.repeat(2_000_000)}"}`)).toBe(413)
  })

  test('odd bodies for every route', async () => {
    const bodies = [
      ...ODD.map(odd => JSON.stringify(odd)),
      '{"a":1,"a":2}',
      '{"__proto__":{"x":1}}',
      '['.repeat(50_000),
      `${'{"a":'.repeat(400)}1${'}'.repeat(400)}`,
      '{"command":"true","command":1}',
      '\ufeff{}',
      '{"jobs":[[[[]]]]}',
    ]
    for (const [method, pattern] of ROUTES) {
      if (method === 'GET') continue
      const path = pattern.replaceAll(/:\w+/g, NOBODY)
      for (const body of bodies) await sendJson(method, path, body)
    }
  })

  test('odd paths and queries for every route', async () => {
    const ids = [
      '%00',
      '%ff',
      '%',
      '..',
      "'--",
      '%2e%2e%2f',
      NOBODY.toUpperCase(),
      `${NOBODY}%0a`,
      '🦄',
      'x'.repeat(4000),
    ]
    const queries = [
      '?',
      '?a',
      '?=1',
      '?%ff=%fe',
      '?limit=%00',
      '?cursor=%ff',
      '?__proto__=1',
      '?wait[]=1',
      `?${'a=1&'.repeat(2000)}`,
    ]
    for (const [method, pattern] of ROUTES) {
      if (pattern.includes(':')) for (const id of ids) await send(method, pattern.replaceAll(/:\w+/g, id))
      for (const query of queries) await send(method, pattern.replaceAll(/:\w+/g, NOBODY) + query)
    }
  })

  test('random query parameters of a list', async () => {
    const name = fc.constantFrom(
      ...['status', 'kind', 'trigger', 'workflow_id', 'parent_job_id', 'name', 'label'],
      ...['queue', 'datasource', 'created_after', 'limit', 'cursor', 'count'],
    )
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('1', 'true', 'a:b', 'queued', '2026-11-21T00:00:00Z'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 5 }), async pairs => {
        await send('GET', `/v1/jobs?${new URLSearchParams(pairs)}`)
      }),
      { numRuns: 80 },
    )
  })

  test.each([
    ['/v1/workflows', ['state', 'query', 'limit', 'cursor']],
    [
      '/v1/runs',
      ['workflow', 'workflow_id', 'status', 'trigger', 'created_after', 'created_before', 'limit', 'cursor'],
    ],
    ['/v1/workflows/waiting/jobs', ['status', 'kind', 'run_id', 'name', 'label', 'limit', 'cursor', 'count']],
    ['/v1/workflows/waiting/slots', ['limit', 'cursor']],
    ['/v1/workflows/waiting/upcoming', ['count']],
    ['/v1/deliveries', ['status', 'job_id', 'run_id', 'workflow_id', 'limit', 'cursor']],
    ['/v1/notifications', ['unread', 'limit', 'cursor']],
    ['/v1/datasources', ['limit', 'cursor', 'count']],
    ['/v1/datasources/there/quarantine', ['limit', 'cursor', 'count']],
    ['/v1/pipes', ['limit', 'cursor', 'count']],
    ['/v1/analytics', ['from', 'to', 'workflow_id', 'trend', 'limit']],
  ])('random query parameters of %s', async (path, names) => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('1', 'true', 'active', 'running', 'day', NOBODY, '2026-11-21T00:00:00Z', '0001-01-01T00:00:00Z'),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 }), async pairs => {
        await send('GET', `${path}?${new URLSearchParams(pairs)}`)
      }),
      { numRuns: 30 },
    )
  })

  test('random query parameters and bodies of an import', async () => {
    const name = fc.constantFrom(
      'format',
      'mode',
      'header',
      'delimiter',
      'quote',
      'max_bad_rows',
      'create',
      'name',
      'x',
    )
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('csv', 'replace', 'true', ',', '1', '5%'))
    const type = fc.constantFrom(
      'text/csv',
      'application/json',
      'multipart/form-data',
      'multipart/form-data; boundary=b',
      'x',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, value), { maxLength: 4 }),
        type,
        fc.string(),
        async (pairs, of, body) => {
          const headers = { 'content-type': of }
          await send('POST', `/v1/datasources/there/import?${new URLSearchParams(pairs)}`, { body, headers })
        },
      ),
      { numRuns: 80 },
    )
  })

  test('random query parameters of a log and its Accept header', async () => {
    const name = fc.constantFrom('after', 'limit', 'tail', 'stream', 'attempt', 'q', 'from', 'batch')
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('0', '1', '99999999999999', 'stdout', 'true'))
    const accept = fc.constantFrom('application/json', 'text/plain', 'application/x-ndjson', ';q', '*/*;q=x', ',,,')
    const { job_id: ended } = await server.run({ command: 'echo x' })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 3 }), accept, async (pairs, type) => {
        await send('GET', `/v1/jobs/${ended}/logs?${new URLSearchParams(pairs)}`, { headers: { accept: type } })
      }),
      { numRuns: 80 },
    )
  })

  test('random job bodies', async () => {
    const what = fc.constantFrom('command', 'environment', 'labels', 'retry', 'secrets', 'artifacts', 'name', 'x')
    const body = fc.dictionary(what, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
    await fc.assert(
      fc.asyncProperty(body, async fields => {
        const text = JSON.stringify({ ...fields, scheduled_at: '2020-01-01T00:00:00Z' })
        expect(await sendJson('POST', '/v1/jobs', text)).toBe(text.includes('"__proto__":') ? 400 : 422)
      }),
      { numRuns: 100 },
    )
  })

  test('odd headers', async () => {
    const headers = [
      { authorization: 'Bearer' },
      { authorization: 'Basic eDp5' },
      { authorization: `Bearer ${'x'.repeat(8000)}` },
      { authorization: 'Bearer mrj_1.2.3' },
      { authorization: `Bearer mrj_${NOBODY}.1.${'A'.repeat(43)}` },
      { 'x-api-key': '\u00ff', authorization: '' },
      { accept: 'x'.repeat(8000) },
      { range: 'bytes=x' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/json;;;' },
      { 'idempotency-key': 'x'.repeat(8000) },
      { 'last-event-id': '1e999' },
    ]
    for (const header of headers)
      for (const [method, pattern] of ROUTES)
        await send(method, pattern.replaceAll(/:\w+/g, NOBODY), { headers: header })
  })

  test('requests that were refused have changed nothing', async () => {
    const { body } = await server.call('GET', `/v1/jobs/${live}`)
    expect(body).toMatchObject({ status: 'pending', name: null })
    const { body: workflow } = await server.call('GET', '/v1/workflows/waiting')
    expect(workflow).toMatchObject({ version: 1, state: 'active', payload: [{ command: 'true' }] })
    const { body: workspaces } = await server.call('GET', '/v1/workspaces')
    for (const { name } of workspaces.workspaces) expect(name).toMatch(/\S|^ $/)
    const health = await fetch(`${server.url}/readyz`)
    expect(health.status).toBe(200)
  })
}
