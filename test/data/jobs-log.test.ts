import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const ask = async (query: string) => {
  const answer = await server.call('POST', '/v1/sql', { query })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

test('system.jobs_log has every job up to the start of the query, as it was then', async () => {
  const done = await server.run({ command: 'true', name: 'fine', labels: { team: 'a' } })
  const failed = await server.run({ command: 'exit 3' })
  const { body: waiting } = await server.call('POST', '/v1/jobs', {
    command: 'true',
    scheduled_at: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const ofAll = 'SELECT job_id, kind, name, status, status_reason, exit_code FROM system.jobs_log ORDER BY job_id'
  expect(await ask(ofAll)).toEqual([
    { job_id: done.job_id, kind: 'command', name: 'fine', status: 'completed', status_reason: null, exit_code: 0 },
    { job_id: failed.job_id, kind: 'command', name: null, status: 'failed', status_reason: 'exit_code', exit_code: 3 },
    {
      job_id: waiting.job_id,
      kind: 'command',
      name: null,
      status: 'pending',
      status_reason: 'scheduled',
      exit_code: null,
    },
  ])
  await server.call('POST', `/v1/jobs/${waiting.job_id}/cancel`)
  const one = `SELECT status FROM system.jobs_log WHERE job_id = '${waiting.job_id}'`
  expect(await ask(one)).toEqual([{ status: 'cancelled' }])
})

test('times and objects are formatted as in the API', async () => {
  const job = await server.run({ command: 'true', name: 'timed', labels: { team: 'b' } })
  const [row] =
    await ask(`SELECT toUnixTimestamp64Milli(created_at) AS created, toUnixTimestamp64Milli(finished_at) AS finished,
    JSONExtractString(labels, 'team') AS team, JSONExtractString(spec, 'command') AS command
    FROM system.jobs_log WHERE name = 'timed'`)
  expect(row).toEqual({
    created: String(Date.parse(job.created_at)),
    finished: String(Date.parse(job.finished_at)),
    team: 'b',
    command: 'true',
  })
})

test('a query job can read it, and finds itself running', async () => {
  const job = await server.run({
    query: "SELECT count() AS n FROM system.jobs_log WHERE status = 'running'",
    format: 'json',
  })
  const { body } = await server.call('GET', `/v1/jobs/${job.job_id}/result`)
  expect(body).toEqual([{ n: '1' }])
})

test('tinybird.jobs_log has the data jobs in Tinybird’s terms', async () => {
  const rows = await ask('SELECT job_type, status, error FROM tinybird.jobs_log AS log ORDER BY log.created_at')
  expect(rows).toEqual([{ job_type: 'query', status: 'done', error: null }])
})

test('a purged job is still listed', async () => {
  const job = await server.run({ command: 'true', name: 'gone' })
  await ask('SELECT 1 FROM system.jobs_log')
  expect((await server.call('POST', `/v1/jobs/${job.job_id}/purge`)).status).toBeLessThan(300)
  expect(await ask("SELECT status FROM system.jobs_log WHERE name = 'gone'")).toEqual([{ status: 'completed' }])
})

test('other system tables are refused, and the name in a string is just text', async () => {
  for (const query of ['SELECT * FROM system.tables', 'SELECT * FROM system.processes, system.jobs_log'])
    expect((await server.call('POST', '/v1/sql', { query })).status, query).toBe(422)
  expect(await ask("SELECT 'system.jobs_log' AS text")).toEqual([{ text: 'system.jobs_log' }])
})

test('another workspace sees only its own jobs', async () => {
  const { body: made } = await server.call('POST', '/v1/workspaces', { name: 'other' })
  const { body: token } = await server.call('POST', '/v1/tokens', {
    name: 'o',
    workspace: made.workspace_id ?? made.id ?? 'other',
    role: 'admin',
  })
  const answer = await fetch(`${server.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'SELECT count() AS n FROM system.jobs_log' }),
  })
  expect(await answer.json()).toEqual([{ n: '0' }])
})
