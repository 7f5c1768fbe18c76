import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

/** All scopes except those for creating and changing data sources. */
const SCOPES = [
  ...['jobs:read', 'jobs:write', 'jobs:run:command', 'jobs:run:import', 'jobs:run:query', 'jobs:run:copy'],
  ...['workflows:read', 'workflows:write', 'datasources:read', 'pipes:read', 'pipes:write'],
]

let server: TestServer
let token: string
beforeAll(async () => {
  server = await startTestServer()
  token = (await server.call('POST', '/v1/tokens', { name: 'no data sources', scopes: SCOPES })).body.token
  await server.call('POST', '/v1/datasources', { name: 'there', schema: 'n Int64' })
})
afterAll(() => server?.stop())

const call = (method: string, path: string, body?: unknown) =>
  server.call(method, path, body, { authorization: `Bearer ${token}` })

const URL = 'http://192.0.2.1/rows.csv'
const MAKING = { import: { datasource: 'made', url: URL, create: true } }
const APPENDING = { import: { datasource: 'there', url: URL } }
const PUTTING = { query: 'SELECT 1 AS n', datasource: 'there', mode: 'replace' }

const expectRefused = (answer: { status: number; body: { code?: string; detail?: string } }): void => {
  expect([answer.status, answer.body.code]).toEqual([403, 'forbidden'])
  expect(answer.body.detail).toContain('lacks the scope datasources:write: ')
}

describe('a token without datasources:write', () => {
  test.each([
    ['an import that may make its data source', MAKING],
    ['a query that changes the rows of a data source', PUTTING],
  ])('cannot start %s, alone, in a batch or in a workflow', async (_name, body) => {
    expectRefused(await call('POST', '/v1/jobs', body))
    expectRefused(await call('POST', '/v1/jobs/batch', { jobs: [{ command: 'true' }, body] }))
    expectRefused(await call('POST', '/v1/workflows', { name: 'making', payload: [{ command: 'true' }, body] }))
  })

  test('cannot rerun a job that creates a data source', async () => {
    const { body: job } = await server.call('POST', '/v1/jobs', MAKING)
    expectRefused(await call('POST', `/v1/jobs/${job.job_id}/rerun`))
    await server.call('POST', `/v1/jobs/${job.job_id}/cancel`)
  })

  test('cannot trigger a workflow that replaces rows, nor retry such failed items', async () => {
    await server.call('POST', '/v1/workflows', { name: 'of another', payload: [PUTTING, { command: 'false' }] })
    const path = '/v1/workflows/of%20another'
    expectRefused(await call('POST', `${path}/trigger`))
    const { body: run } = await server.call('POST', `${path}/trigger`)
    const ended = async () => (await server.call('GET', `/v1/runs/${run.run_id}`)).body.finished_at
    await expect.poll(ended, { timeout: 20_000 }).not.toBeNull()
    // None of the failed items writes anything.
    expect((await call('POST', `/v1/runs/${run.run_id}/retry_failed`)).status).toBe(201)
    await server.call('PUT', path, { name: 'of another', payload: [{ ...PUTTING, query: 'SELECT wrong' }] })
    const { body: wrong } = await server.call('POST', `${path}/trigger`)
    const failed = async () => (await server.call('GET', `/v1/runs/${wrong.run_id}`)).body.finished_at
    await expect.poll(failed, { timeout: 20_000 }).not.toBeNull()
    expectRefused(await call('POST', `/v1/runs/${wrong.run_id}/retry_failed`))
  })

  test('cannot add an item that replaces rows to a run', async () => {
    await server.call('POST', '/v1/workflows', { name: 'open', payload: [{ command: 'sleep 60' }] })
    const { body: run } = await server.call('POST', '/v1/workflows/open/trigger')
    const job = async () => (await server.call('GET', `/v1/runs/${run.run_id}/jobs`)).body.jobs[0]
    await expect.poll(async () => (await job()).status, { timeout: 20_000 }).toBe('running')
    const path = `/v1/jobs/${(await job()).job_id}/extend`
    expectRefused(await call('POST', path, { payload: [PUTTING] }))
    expect((await call('POST', path, { payload: [APPENDING] })).status).toBe(204)
    await server.call('POST', `/v1/runs/${run.run_id}/terminate`, { timeout_seconds: 0 })
  })

  test('cannot upload content for a new data source', async () => {
    expectRefused(await call('POST', '/v1/datasources/made/import?create=true', { n: 1 }))
  })

  test('cannot import through /v0, which creates a data source by default', async () => {
    const refused = await call('POST', `/v0/datasources?name=made&url=${encodeURIComponent(URL)}`)
    expect([refused.status, refused.body.error]).toEqual([403, expect.stringContaining('datasources:write')])
    const appended = await call('POST', `/v0/datasources?name=there&mode=append&url=${encodeURIComponent(URL)}`)
    expect(appended.status).toBe(200)
  })

  test('cannot save a pipe with a node that writes, whether or not its target exists', async () => {
    const nodes = [{ name: 'all_rows', sql: 'SELECT n FROM there' }]
    expect((await call('POST', '/v1/pipes', { name: 'reading', nodes })).status).toBe(201)
    for (const role of [{ copy_into: 'made' }, { copy_into: 'there' }, { materialize_into: 'made' }]) {
      const writing = { nodes: [...nodes, { name: 'writing', sql: 'SELECT n FROM all_rows', ...role }] }
      expectRefused(await call('POST', '/v1/pipes', { name: 'making', ...writing }))
      expectRefused(await call('PUT', '/v1/pipes/reading', { name: 'reading', ...writing }))
    }
    expect((await call('PUT', '/v1/pipes/reading', { name: 'reading', nodes })).status).toBe(200)
    expect((await server.call('GET', '/v1/datasources/made')).status).toBe(404)
  })

  test('can import into an existing data source, and run queries that only read', async () => {
    expect((await call('POST', '/v1/jobs', APPENDING)).status).toBe(201)
    expect((await call('POST', '/v1/jobs', { query: 'SELECT 1' })).status).toBe(201)
  })
})

test('may do all of this with the role analyst', async () => {
  const { body } = await server.call('POST', '/v1/tokens', { name: 'analyst', role: 'analyst' })
  const headers = { authorization: `Bearer ${body.token}` }
  for (const job of [MAKING, PUTTING]) expect((await server.call('POST', '/v1/jobs', job, headers)).status).toBe(201)
})
