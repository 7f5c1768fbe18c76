import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../server.ts'
import { type Scenario, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const made = await server.call('POST', '/v1/datasources', { name: 'visits', schema: 'day Date, page String' })
  expect(made.status).toBe(201)
  await server.warehouse.command({
    workspace: 'default',
    sql: "INSERT INTO live.visits SELECT '2026-11-01', toString(number % 3) FROM numbers(30)",
  })
})
afterAll(() => server?.stop())

const put = async (body: { name: string } & Record<string, unknown>) => {
  const known = await server.call('GET', `/v1/pipes/${body.name}`)
  const answer =
    known.status === 404
      ? await server.call('POST', '/v1/pipes', body)
      : await server.call('PUT', `/v1/pipes/${body.name}`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
  return answer.body
}

const TOP = {
  name: 'top',
  description: 'What is read most',
  nodes: [
    { name: 'november', sql: "SELECT page FROM visits WHERE day >= '2026-11-01'" },
    {
      name: 'per_page',
      sql: 'SELECT page, countState() AS n FROM november GROUP BY page',
      materialize_into: 'page_counts',
    },
    { name: 'shown', sql: 'SELECT page FROM visits GROUP BY page', copy_into: 'pages', mode: 'replace' },
  ],
}

describe('a pipe', () => {
  test('is created with the target data sources of its nodes, and shown as it was given', async () => {
    const made = await server.call('POST', '/v1/pipes', TOP)
    expect(made.status, JSON.stringify(made.body)).toBe(201)
    expect(made.headers.get('location')).toBe(`${server.url}/v1/pipes/${made.body.pipe_id}`)
    expect(made.body).toEqual({
      pipe_id: expect.stringMatching(/^t_[0-9a-f]{32}$/),
      name: 'top',
      description: 'What is read most',
      nodes: [
        { name: 'november', sql: expect.stringContaining('FROM visits') },
        { name: 'per_page', sql: expect.any(String), materialize_into: 'page_counts' },
        { name: 'shown', sql: expect.any(String), copy_into: 'pages', mode: 'replace' },
      ],
      created_at: expect.any(String),
      updated_at: made.body.created_at,
    })
    for (const name of ['top', made.body.pipe_id])
      expect((await server.call('GET', `/v1/pipes/${name}`)).body).toEqual(made.body)
    const { body: source } = await server.call('GET', '/v1/datasources/page_counts')
    expect(source).toMatchObject({ engine: 'AggregatingMergeTree', used_by: ['top'], row_count: 0 })
  })

  test('can be replaced by its GET answer', async () => {
    const { body } = await server.call('GET', '/v1/pipes/top')
    const replaced = await server.call('PUT', '/v1/pipes/top', { ...body, description: null })
    expect(replaced.status, JSON.stringify(replaced.body)).toBe(200)
    expect(replaced.body).toEqual({ ...body, description: null, updated_at: expect.any(String) })
  })

  test('is populated and copied by jobs, which are listed by its name', async () => {
    const populate = await server.run({ populate: { pipe: 'top', node: 'per_page' } })
    expect(populate.status, JSON.stringify(populate.error)).toBe('completed')
    const copy = await server.run({ copy: { pipe: 'top', mode: 'append' } })
    expect(copy.status, JSON.stringify(copy.error)).toBe('completed')
    const { body } = await server.call('GET', '/v1/jobs?pipe=top')
    expect(body.jobs.map((job: { job_id: string }) => job.job_id)).toEqual([copy.job_id, populate.job_id])
    expect((await server.call('GET', '/v1/datasources/pages')).body.row_count).toBe(3)
  })

  test('is listed newest first, and cannot be deleted while another pipe reads it', async () => {
    await put({ name: 'reader', nodes: [{ name: 'count', sql: 'SELECT count() AS n FROM top' }] })
    const { body } = await server.call('GET', '/v1/pipes?limit=1&count=true')
    expect(body).toMatchObject({ pipes: [{ name: 'reader' }], count: 2 })
    const next = await server.call('GET', `/v1/pipes?limit=1&cursor=${body.next_cursor}`)
    expect(next.body).toMatchObject({ pipes: [{ name: 'top' }], next_cursor: null })
    expect((await server.call('DELETE', '/v1/pipes/top')).body.code).toBe('data_source_in_use')
    expect((await server.call('DELETE', '/v1/pipes/reader')).status).toBe(204)
    expect((await server.call('GET', '/v1/pipes/reader')).status).toBe(404)
  })
})

const wrong = (name: string, nodes: unknown, fields: readonly string[], code = 'invalid'): Scenario => ({
  name,
  method: 'POST',
  path: '/v1/pipes',
  json: { name: 'wrong', nodes },
  status: 422,
  code,
  fields,
})

const SQL = 'SELECT page FROM visits'

describe('a wrong pipe is refused with the node at fault', () => {
  const copy = (more: object) => [{ name: 'n', sql: SQL, copy_into: 'pages', ...more }]

  scenarios(
    () => server,
    [
      wrong('no nodes', [], ['nodes']),
      wrong('SQL that does not parse', [{ name: 'n', sql: 'SELEC' }], ['nodes.0.sql']),
      wrong('a statement that is not a SELECT', [{ name: 'n', sql: 'DROP TABLE visits' }], ['nodes.0.sql']),
      wrong('a missing table', [{ name: 'n', sql: 'SELECT 1 FROM nowhere' }], ['nodes.0.sql']),
      wrong(
        'a node that reads a later one',
        [
          { name: 'a', sql: 'SELECT 1 FROM b' },
          { name: 'b', sql: SQL },
        ],
        ['nodes.0.sql'],
      ),
      wrong(
        'a duplicate name',
        [
          { name: 'a', sql: SQL },
          { name: 'a', sql: SQL },
        ],
        ['nodes.1.name'],
      ),
      wrong('both roles', copy({ materialize_into: 'pages' }), ['nodes.0.copy_into']),
      wrong('a mode of a node that is no copy', [{ name: 'n', sql: SQL, mode: 'append' }], ['nodes.0.mode']),
      wrong(
        'a schedule of a materialized node',
        [{ name: 'n', sql: SQL, materialize_into: 'm', schedule: { crons: ['@daily'] } }],
        ['nodes.0.schedule'],
      ),
      wrong('an unknown mode', copy({ mode: 'merge' }), ['nodes.0.mode']),
      wrong('an unreadable cron', copy({ schedule: { crons: ['x'] } }), ['nodes.0.schedule.crons.0']),
      wrong(
        'a schedule that never fires',
        copy({ schedule: { crons: ['0 0 30 2 *'] } }),
        ['nodes.0.schedule.crons.0'],
        'schedule_never_fires',
      ),
      wrong('an empty schedule', copy({ schedule: {} }), ['nodes.0.schedule']),
      wrong('an unknown field of a schedule', copy({ schedule: { cron: '@daily' } }), ['nodes.0.schedule.cron']),
      {
        ...wrong('names too long for the workflow of a schedule', [], ['nodes.0.name']),
        json: {
          name: 'p'.repeat(128),
          nodes: [{ name: 'n'.repeat(128), sql: SQL, copy_into: 'pages', schedule: { crons: ['@daily'] } }],
        },
      },
      {
        name: 'another name than in the path',
        method: 'PUT',
        path: '/v1/pipes/top',
        json: { ...TOP, name: 'other' },
        status: 422,
        fields: ['name'],
      },
      {
        name: 'a taken name',
        method: 'POST',
        path: '/v1/pipes',
        json: TOP,
        status: 409,
        code: 'data_source_exists',
      },
      {
        name: 'a missing pipe',
        method: 'PUT',
        path: '/v1/pipes/nowhere',
        json: { ...TOP, name: 'nowhere' },
        status: 404,
      },
    ],
  )

  test('a refused pipe leaves nothing', async () => {
    const names = (await server.call('GET', '/v1/pipes')).body.pipes.map((pipe: { name: string }) => pipe.name)
    expect(names).toEqual(['top'])
    expect((await server.call('GET', '/v1/datasources/m')).status).toBe(404)
    expect((await server.call('GET', '/v1/workflows')).body.workflows).toEqual([])
  })
})

describe('a schedule of a copy node', () => {
  const daily = (schedule: object | null = { crons: ['0 3 * * *'], time_zone: 'Europe/Berlin' }) => ({
    name: 'snapshot',
    nodes: [{ name: 'take', sql: SQL, copy_into: 'pages', mode: 'replace', ...(schedule && { schedule }) }],
  })
  const workflow = async () => (await server.call('GET', '/v1/workflows/copy%20snapshot.take')).body
  const workflows = async (): Promise<readonly string[]> =>
    (await server.call('GET', '/v1/workflows')).body.workflows.map((one: { name: string }) => one.name)

  test('is stored as it was given, and fires as a workflow of one copy job', async () => {
    const pipe = await put(daily())
    expect(pipe.nodes[0].schedule).toEqual({ crons: ['0 3 * * *'], time_zone: 'Europe/Berlin' })
    expect(await workflow()).toMatchObject({
      name: 'copy snapshot.take',
      state: 'active',
      version: 1,
      payload: [{ copy: { pipe: 'snapshot', node: 'take', mode: 'replace' } }],
      schedule: { crons: ['0 3 * * *'], time_zone: 'Europe/Berlin' },
      labels: { 'millrace.pipe': 'snapshot', 'millrace.node': 'take' },
      next_run_at: expect.any(String),
    })
  })

  test('runs copies', async () => {
    await put(daily({ intervals: [{ every: '1s' }] }))
    const jobs = async () => (await server.call('GET', '/v1/jobs?pipe=snapshot&status=completed')).body.jobs
    await expect.poll(async () => (await jobs()).length, { timeout: 20_000 }).toBeGreaterThan(0)
    expect((await jobs())[0]).toMatchObject({ kind: 'copy', trigger: 'automatic', workflow_id: expect.any(String) })
  })

  test('follows changes of the pipe: another schedule, none, and one again', async () => {
    await put(daily({ crons: ['@hourly'] }))
    expect(await workflow()).toMatchObject({ schedule: { crons: ['@hourly'] } })
    const { version } = await workflow()
    await put(daily({ crons: ['@hourly'] }))
    expect((await workflow()).version).toBe(version)
    await put(daily(null))
    expect((await workflow()).code).toBe('not_found')
    await put(daily())
    expect(await workflow()).toMatchObject({ state: 'active', version: 1 })
  })

  test('is restored when its workflow was deleted or changed by hand', async () => {
    const path = '/v1/workflows/copy%20snapshot.take'
    await server.call('POST', `${path}/terminate`)
    expect((await server.call('DELETE', path)).status).toBe(204)
    expect(await server.engine.copySchedules.sync('default')).toBe('done')
    expect(await workflow()).toMatchObject({ state: 'active', schedule: { crons: ['0 3 * * *'] } })
    const { body: definition } = await server.call('GET', path)
    await server.call('PUT', path, { ...definition, payload: [{ command: 'true' }] })
    await server.engine.copySchedules.sync('default')
    expect((await workflow()).payload).toEqual([{ copy: { pipe: 'snapshot', node: 'take', mode: 'replace' } }])
  })

  test('keeps its workflow when somebody removes its labels or changes its name', async () => {
    const path = '/v1/workflows/copy%20snapshot.take'
    const mine = { name: 'copy snapshot.take', labels: { mine: 'yes' }, payload: [{ command: 'true' }] }
    expect((await server.call('PUT', path, mine)).body.labels).toMatchObject({
      mine: 'yes',
      'millrace.pipe': 'snapshot',
      'millrace.node': 'take',
    })
    await put({ ...daily(), description: 'changed by hand before' })
    expect(await workflow()).toMatchObject({ payload: [{ copy: { pipe: 'snapshot' } }] })
    expect((await workflow()).labels).not.toHaveProperty('mine')
    const renamed = await server.call('PUT', path, { ...mine, name: 'copy of mine' })
    expect([renamed.status, renamed.body.errors]).toEqual([
      422,
      [{ path: 'name', message: expect.stringContaining('made of the node take of the pipe snapshot') }],
    ])
  })

  test('stays paused when its workflow was paused', async () => {
    await server.call('POST', '/v1/workflows/copy%20snapshot.take/pause')
    await put({ ...daily(), description: 'changed' })
    expect((await workflow()).state).toBe('paused')
    await server.call('POST', '/v1/workflows/copy%20snapshot.take/resume')
  })

  test('does not take over a workflow of somebody else', async () => {
    const theirs = { name: 'copy theirs.take', payload: [{ command: 'true' }] }
    expect((await server.call('POST', '/v1/workflows', theirs)).status).toBe(201)
    const refused = await server.call('POST', '/v1/pipes', { ...daily(), name: 'theirs' })
    expect([refused.status, refused.body.code]).toEqual([409, 'workflow_exists'])
    expect((await server.call('GET', '/v1/pipes/theirs')).status).toBe(404)
    await server.engine.copySchedules.sync('default')
    expect((await server.call('GET', '/v1/workflows/copy%20theirs.take')).body).toMatchObject({ version: 1 })
  })

  test('requires the scope to run copies', async () => {
    const scopes = ['pipes:read', 'pipes:write', 'datasources:write']
    const { body } = await server.call('POST', '/v1/tokens', { name: 'pipes alone', scopes })
    const headers = { authorization: `Bearer ${body.token}` }
    const refused = await server.call('PUT', '/v1/pipes/snapshot', daily({ crons: ['@weekly'] }), headers)
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('jobs:run:copy')])
    expect((await server.call('PUT', '/v1/pipes/snapshot', daily(null), headers)).status).toBe(200)
    await put(daily())
  })

  test('is deleted with its pipe, even while a run is open, and a new pipe of the name gets a new one', async () => {
    const { workflow_id: id } = await workflow()
    const holder = { callId: 'call', heldMs: 60_000 }
    await server.store.lockTables({ workspace: 'default', tables: ['pages'], holder })
    const { body: run } = await server.call('POST', `/v1/workflows/${id}/trigger`)
    const status = async () => (await server.call('GET', `/v1/runs/${run.run_id}/jobs`)).body.jobs[0]?.status
    await expect.poll(status, { timeout: 10_000 }).toBe('running')
    expect((await server.call('DELETE', '/v1/pipes/snapshot')).status).toBe(204)
    expect((await workflow()).code).toBe('not_found')
    await put(daily())
    const again = await workflow()
    expect(again).toMatchObject({ state: 'active', version: 1 })
    expect(again.workflow_id).not.toBe(id)
    await expect.poll(() => server.engine.copySchedules.sync('default'), { timeout: 10_000 }).toBe('done')
    expect((await server.call('GET', `/v1/workflows/${id}`)).status).toBe(404)
    expect(await workflows()).toEqual(['copy snapshot.take', 'copy theirs.take'])
    expect(await status()).toBe('cancelled')
    await server.store.unlockTables({ workspace: 'default', holder })
  })
})

test('the workflow of a schedule is created at the next start if the server died before, whatever is damaged elsewhere', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  const path = '/v1/workflows/copy%20snapshot.take'
  const first = await startTestServer({ dataDir })
  await first.call('POST', '/v1/workspaces', { name: 'other' })
  const { body: made } = await first.call('POST', '/v1/tokens', { name: 'other', role: 'admin', workspace: 'other' })
  const headers = { authorization: `Bearer ${made.token}` }
  const nodes = [{ name: 'take', sql: SQL, copy_into: 'pages', schedule: { crons: ['@daily'] } }]
  for (const as of [{}, headers]) {
    await first.call('POST', '/v1/datasources', { name: 'visits', schema: 'page String' }, as)
    expect((await first.call('POST', '/v1/pipes', { name: 'snapshot', nodes }, as)).status).toBe(201)
  }
  await first.call('POST', `${path}/terminate`, {}, headers)
  expect((await first.call('DELETE', path, undefined, headers)).status).toBe(204)
  await first.stop()
  const database = new DatabaseSync(join(dataDir, 'millrace.db'))
  database.exec("UPDATE workflow_definition SET definition = '{'")
  database.close()
  const second = await startTestServer({ dataDir })
  const state = async () => (await second.call('GET', path, undefined, headers)).body.state
  await expect.poll(state, { timeout: 20_000 }).toBe('active')
  await second.stop()
  rmSync(dataDir, { recursive: true })
})
