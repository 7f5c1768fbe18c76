import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { NOBODY, scenarios } from './scenario.ts'

let server: TestServer
let workflowId: string

beforeAll(async () => {
  server = await startTestServer()
  await server.run({ command: 'echo one; echo two' })
  await server.run({ command: 'false' })
  const made = await server.call('POST', '/v1/workflows', {
    name: 'measured',
    payload: [{ command: 'echo three' }, { command: 'exit 1', retry: { maximum_attempts: 1 } }],
  })
  workflowId = made.body.workflow_id
  const { body } = await server.call('POST', '/v1/workflows/measured/trigger')
  for (const job of (await server.call('GET', `/v1/runs/${body.run_id}/jobs`)).body.jobs)
    await server.call('GET', `/v1/jobs/${job.job_id}?wait=60`)
})
afterAll(() => server?.stop())

const read = async (query = '', headers?: Record<string, string>) => {
  const { status, body } = await server.call('GET', `/v1/analytics${query}`, undefined, headers)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const time = expect.any(Number)
const NONE = { p50: null, p95: null, p99: null }

describe('analytics', () => {
  test('cover all jobs of the last day', async () => {
    const { total, from, to } = await read()
    expect(total).toEqual({
      jobs: { completed: 2, failed: 2, cancelled: 0 },
      success_rate: 0.5,
      wait_ms: { p50: time, p95: time, p99: time },
      run_ms: { p50: time, p95: time, p99: time },
      log_lines: 3,
      lateness_ms: NONE,
      slots: { fired: 0, skipped: 0 },
    })
    expect(from).toMatch(/:00:00\.000Z$/)
    expect(Date.parse(to)).toBeGreaterThanOrEqual(Date.now() - 60_000)
  })

  test('list each workflow by its name, and the jobs without a workflow', async () => {
    const { workflows } = await read()
    expect(workflows).toHaveLength(2)
    const of = (id: string | null) => workflows.find((one: { workflow_id: string | null }) => one.workflow_id === id)
    expect(of(workflowId)).toMatchObject({ name: 'measured', jobs: { completed: 1, failed: 1 }, log_lines: 1 })
    expect(of(null)).toMatchObject({ name: null, jobs: { completed: 1, failed: 1 }, log_lines: 2 })
    expect((await read('?limit=1')).workflows).toHaveLength(1)
  })

  test('can be limited to one workflow', async () => {
    const { total, workflows } = await read(`?workflow_id=${workflowId}`)
    expect(total.jobs).toEqual({ completed: 1, failed: 1, cancelled: 0 })
    expect(workflows).toHaveLength(1)
    for (const other of [NOBODY, 'nobody'])
      expect(await read(`?workflow_id=${other}`)).toMatchObject({ total: { success_rate: null }, workflows: [] })
  })

  test.each(['hour', 'day'])('show a trend by %s that adds up to the total', async unit => {
    const { trend, from, to } = await read(`?trend=${unit}`)
    expect(trend.unit).toBe(unit)
    const completed = trend.points.map((point: { jobs: { completed: number } }) => point.jobs.completed)
    expect(completed.reduce((a: number, b: number) => a + b)).toBe(2)
    const starts: number[] = trend.points.map((point: { start: string }) => Date.parse(point.start))
    const step = unit === 'hour' ? 3_600_000 : 86_400_000
    for (const [index, start] of starts.entries()) expect(start).toBe(starts[0]! + index * step)
    expect(starts[0]).toBeLessThanOrEqual(Date.parse(from))
    expect(starts.at(-1)! + step).toBeGreaterThanOrEqual(Date.parse(to))
  })

  test('are empty for another period', async () => {
    const { total, trend } = await read('?from=2020-01-01T00:00:00Z&to=2020-01-31T00:00:00Z')
    expect(total.jobs).toEqual({ completed: 0, failed: 0, cancelled: 0 })
    expect([trend.unit, trend.points.length]).toEqual(['day', 30])
  })

  test('stay when the jobs are purged', async () => {
    const job = await server.run({ command: 'true', labels: { purged: 'soon' } })
    const before = (await read()).total.jobs
    await server.call('POST', `/v1/jobs/${job.job_id}/purge`)
    expect((await server.call('GET', `/v1/jobs/${job.job_id}`)).status).toBe(404)
    expect((await read()).total.jobs).toEqual(before)
  })

  test('invariant 11: show nothing of another workspace', async () => {
    await server.call('POST', '/v1/workspaces', { name: 'curious' })
    const made = await server.call('POST', '/v1/tokens', { name: 'c', role: 'reader', workspace: 'curious' })
    const headers = { authorization: `Bearer ${made.body.token}` }
    expect(await read('', headers)).toMatchObject({ total: { success_rate: null }, workflows: [] })
    expect(await read(`?workflow_id=${workflowId}`, headers)).toMatchObject({ total: { success_rate: null } })
  })

  const get = { status: 422, code: 'invalid' } as const
  scenarios(
    () => server,
    [
      { ...get, name: 'from an invalid time', path: '/v1/analytics?from=yesterday', fields: ['from'] },
      { ...get, name: 'to before from', path: '/v1/analytics?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z' },
      { ...get, name: 'over more than a year', path: '/v1/analytics?from=2020-01-01T00:00:00Z', fields: ['from'] },
      { ...get, name: 'by the minute', path: '/v1/analytics?trend=minute', fields: ['trend'] },
      { ...get, name: 'of too many workflows', path: '/v1/analytics?limit=501', fields: ['limit'] },
      { ...get, name: 'with an unknown parameter', path: '/v1/analytics?workflow=x', fields: ['workflow'] },
    ],
  )
})
