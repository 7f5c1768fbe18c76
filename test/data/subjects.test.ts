import { afterAll, beforeAll, expect, test } from 'vitest'
import { newDataId } from '../../src/data/data-id.ts'
import { type DataScene, openDataScene, WORKSPACE } from './scene.ts'

/** The data source that a job belongs to if it names only a pipe. */
let scene: DataScene
let pipeId: string
beforeAll(async () => {
  scene = await openDataScene()
  for (const name of ['source', 'filled', 'copied', 'other']) await scene.dataSource(name, { a: 'Int64' })
  const { body } = await scene.call('POST', '/v1/pipes', { name: 'works', nodes: nodesInto('filled', 'copied') })
  pipeId = body.pipe_id
})
afterAll(() => scene?.stop())

const nodesInto = (filled: string, copied: string, more = {}) => [
  { name: 'fill', sql: 'SELECT a FROM source', materialize_into: filled },
  { name: 'put', sql: 'SELECT a FROM source', copy_into: copied, ...more },
]
const replace = async (...into: Parameters<typeof nodesInto>) => {
  const answer = await scene.call('PUT', '/v1/pipes/works', { name: 'works', nodes: nodesInto(...into) })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
}
const listed = async (query: string): Promise<string[]> => {
  const { body } = await scene.call('GET', `/v1/jobs?${query}&limit=100`)
  return body.jobs.map((job: { job_id: string }) => job.job_id)
}
const ended = async (jobId: string) => (await scene.call('GET', `/v1/jobs/${jobId}?wait=60`)).body

test('a job that gives its data source by id waits for others that write it, and tells what is in it', async () => {
  const { body } = await scene.call('GET', '/v1/datasources/other')
  const id = body.datasource_id
  for (const job of [
    { query: 'SELECT 1 AS a', datasource: id, mode: 'append' },
    { delete: { datasource: id, condition: 'a = 0' } },
  ]) {
    const lock = { workspace: WORKSPACE, holder: { callId: 'a call', heldMs: 60_000 } }
    await scene.store.lockTables({ ...lock, tables: ['other'] })
    const { body: submitted } = await scene.call('POST', '/v1/jobs', job)
    const message = async () => (await scene.call('GET', `/v1/jobs/${submitted.job_id}`)).body.progress?.message
    await expect.poll(message, { timeout: 20_000 }).toBe('waits for a call, which writes other')
    await scene.store.unlockTables(lock)
    expect(await ended(submitted.job_id)).toMatchObject({ status: 'completed', statistics: { row_count: 1 } })
  }
})

test('a job that gives its data source by id writes no other one that gets its name while the job waits', async () => {
  await scene.dataSource('remade', { a: 'Int64' })
  const { version, dataSources } = await scene.data.catalogue(WORKSPACE)
  const dropped = dataSources.find(({ name }) => name === 'remade')!
  const lock = { workspace: WORKSPACE, holder: { callId: 'a call', heldMs: 60_000 } }
  await scene.store.lockTables({ ...lock, tables: ['remade'] })
  const { body } = await scene.call('POST', '/v1/jobs', { query: 'SELECT 1 AS a', datasource: dropped.id })
  const message = async () => (await scene.call('GET', `/v1/jobs/${body.job_id}`)).body.progress?.message
  await expect.poll(message, { timeout: 20_000 }).toBe('waits for a call, which writes remade')
  const changes = [
    { type: 'drop_data_source', id: dropped.id },
    { type: 'put_data_source', dataSource: { ...dropped, id: newDataId() } },
  ] as const
  await scene.store.changeCatalogue({ workspace: WORKSPACE, version, changes, unlessLocked: [] })
  await scene.store.unlockTables(lock)
  expect(await ended(body.job_id)).toMatchObject({ status: 'failed', error: { code: 'data_source_not_found' } })
})

test('populates and copies are listed by the data source they write, whether the pipe is given by name or by id', async () => {
  for (const pipe of ['works', pipeId]) {
    const populate = await scene.run({ populate: { pipe } })
    const copy = await scene.run({ copy: { pipe, node: 'put' } })
    expect([populate.error, copy.error]).toEqual([null, null])
    expect(await listed('datasource=filled')).toContain(populate.job_id)
    expect(await listed('datasource=copied')).toContain(copy.job_id)
    expect(await listed('datasource=copied')).not.toContain(populate.job_id)
    expect(await listed('pipe=works')).toEqual(expect.arrayContaining([populate.job_id, copy.job_id]))
    const sql = `SELECT job_id, datasource, pipe FROM system.jobs_log WHERE job_id IN ('${populate.job_id}', '${copy.job_id}')`
    expect((await scene.call('POST', '/v1/sql', { query: `${sql} ORDER BY datasource` })).body).toEqual([
      { job_id: copy.job_id, datasource: 'copied', pipe: 'works' },
      { job_id: populate.job_id, datasource: 'filled', pipe: 'works' },
    ])
  }
})

test('jobs of a batch are listed by the data source they write, and those of a missing pipe by no data source', async () => {
  const { body } = await scene.call('POST', '/v1/jobs/batch', {
    jobs: [
      { copy: { pipe: 'works' } },
      { command: 'true' },
      { populate: { pipe: 'nowhere' }, scheduled_at: new Date().toISOString() },
    ],
  })
  const [copy, command, lost] = body.jobs.map((job: { job_id: string }) => job.job_id)
  expect(await listed('datasource=copied')).toContain(copy)
  expect(await listed('pipe=nowhere')).toEqual([lost])
  for (const id of [copy, command, lost]) await ended(id)
})

test('a missing pipe or node, or one of another role, is refused with the existing ones, unless the job is for later', async () => {
  await scene.pipe('plain', [{ name: 'only', sql: 'SELECT a FROM source' }])
  const faults = async (jobs: readonly object[]) =>
    (await scene.call('POST', '/v1/jobs/batch', { jobs })).body.errors?.map(
      ({ path, message }: { path: string; message: string }) => `${path}: ${message}`,
    )
  expect(
    await faults([
      { populate: { pipe: 'nowhere' } },
      { copy: { pipe: 'nowhere', parameters: { x: 1 } } },
      { populate: { pipe: 'works', node: 'nowhere' } },
      { populate: { pipe: pipeId, node: 'put' } },
      { copy: { pipe: 'plain' } },
    ]),
  ).toEqual([
    'jobs.0.populate.pipe: there is no pipe nowhere; pipes with a materialized node: works',
    'jobs.1.copy.pipe: there is no pipe nowhere; pipes with a copy node: works',
    'jobs.2.populate.node: must be a materialized node of works: fill',
    'jobs.3.populate.node: must be a materialized node of works: fill',
    'jobs.4.copy.pipe: plain has no copy node',
  ])
  const { status, body } = await scene.call('POST', '/v1/jobs', { populate: { pipe: 'nowhere' } })
  expect([status, body.code]).toEqual([422, 'invalid'])
  const soon = { name: 'early', scheduled_at: new Date(Date.now() + 3_600_000).toISOString() }
  const later = await scene.call('POST', '/v1/jobs', { populate: { pipe: 'nowhere' }, ...soon })
  expect(later.status).toBe(201)
  expect(await listed('pipe=nowhere&name=early')).toEqual([later.body.job_id])
})

test('a rerun, and a retried item, are listed by the current data source of their node', async () => {
  const first = await scene.run({ copy: { pipe: 'works' } })
  const made = await scene.call('POST', '/v1/workflows', {
    name: 'copies',
    payload: [{ copy: { pipe: 'works', parameters: { unknown: 1 } } }],
  })
  const { body: run } = await scene.call('POST', `/v1/workflows/${made.body.workflow_id}/trigger`, {})
  const before = (await listed(`run_id=${run.run_id}&datasource=copied`))[0]!
  expect(await ended(before)).toMatchObject({
    status: 'failed',
    error: { code: 'sql_error', message: expect.stringContaining('The parameter unknown is not a parameter') },
  })
  await replace('filled', 'other')
  const { body: again } = await scene.call('POST', `/v1/jobs/${first.job_id}/rerun`)
  expect(await listed('datasource=other')).toContain(again.job_id)
  expect((await ended(again.job_id)).error).toBeNull()
  await expect
    .poll(async () => (await scene.call('GET', `/v1/runs/${run.run_id}`)).body.status, { timeout: 20_000 })
    .toBe('failed')
  const { body: retried } = await scene.call('POST', `/v1/runs/${run.run_id}/retry_failed`, {})
  const [item] = await listed(`run_id=${retried.run_id}`)
  expect(await listed('datasource=other')).toContain(item)
  expect(await listed('datasource=copied')).toContain(before)
  await ended(item!)
  await replace('filled', 'copied')
})

test('a copy fired by a schedule, and an item added by an item, are listed by the data source they write', async () => {
  await replace('filled', 'copied', { schedule: { intervals: [{ every: '1s' }] } })
  const fired = async () => {
    const { body } = await scene.call('GET', '/v1/jobs?datasource=copied&limit=100')
    return body.jobs.filter((job: { trigger: string }) => job.trigger === 'automatic').length
  }
  await expect.poll(fired, { timeout: 30_000 }).toBeGreaterThan(0)
  await replace('filled', 'copied')
  const command = `curl -sS --fail-with-body -X POST "$MILLRACE_URL/v1/jobs/$MILLRACE_JOB_ID/extend" \\
    -H "Authorization: Bearer $MILLRACE_TOKEN" -H 'Content-Type: application/json' \\
    -d '{"payload": [{"populate": {"pipe": "works", "truncate": true}}]}'`
  const made = await scene.call('POST', '/v1/workflows', { name: 'adds', payload: [{ command }] })
  const { body: run } = await scene.call('POST', `/v1/workflows/${made.body.workflow_id}/trigger`, {})
  await expect.poll(() => listed(`run_id=${run.run_id}&datasource=filled`), { timeout: 30_000 }).toHaveLength(1)
})
