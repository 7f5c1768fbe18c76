import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { NOBODY } from '../http/scenario.ts'
import { differences, IMPORT_EXAMPLE } from './document.ts'
import { openScriptedScene, type ScriptedScene } from './scripted.ts'

const clock = { offset: 0, now: () => Date.now() + clock.offset, monotonic: () => performance.now() }
const HOUR = 3_600_000

let scene: ScriptedScene
beforeAll(async () => {
  scene = await openScriptedScene(clock)
  await scene.dataSource('events', { day: 'Date', product: 'String' }, { sortingKey: 'day, product' })
  await scene.dataSource('per_day', { day: 'Date' })
  await scene.pipe('by_day', [
    { name: 'days', sql: 'SELECT day FROM events GROUP BY day', role: materialized('per_day') },
  ])
  await scene.pipe('snapshot', [
    {
      name: 'now',
      sql: 'SELECT day FROM events',
      role: { type: 'copy', into: 'per_day', mode: 'append', schedule: null },
    },
  ])
})
afterAll(() => scene?.stop())

const importInto = (datasource: string) => ({ import: { ...IMPORT.import, datasource } })
const IMPORT = { import: { datasource: 'events', url: 'https://example.com/e.csv', mode: 'append', format: 'csv' } }
const POPULATE = { populate: { pipe: 'by_day', node: 'days' } }
const KINDS = {
  import: IMPORT,
  populateview: POPULATE,
  copy: { copy: { pipe: 'snapshot' } },
  query: { query: 'SELECT 1' },
  delete_data: { delete: { datasource: 'events', condition: '1' } },
}

const later = () => new Date(clock.now() + HOUR).toISOString()
const get = async (path: string) => (await scene.call('GET', path)).body
const idsOf = (list: { jobs: { id: string }[] }) => list.jobs.map(({ id }) => id)
const cancel = (id: string) => scene.call('POST', `/v0/jobs/${id}/cancel`)

/** A token of a workspace with this name, in which a test is alone. */
const tokenOf = async (workspace: string, body: object = { role: 'admin' }) => {
  await scene.call('POST', '/v1/workspaces', { name: workspace })
  const { body: made } = await scene.call('POST', '/v1/tokens', { name: workspace, workspace, ...body })
  return { authorization: `Bearer ${made.token}` }
}

describe('a job', () => {
  test.each(Object.entries(KINDS))('of kind %s is shown as in the document', async (kind, body) => {
    const id = await scene.submit(body)
    const job = await get(`/v0/jobs/${id}`)
    expect(job).toMatchObject({
      kind,
      id,
      job_id: id,
      status: 'done',
      is_cancellable: false,
      job_url: `${scene.url}/v0/jobs/${id}`,
      statistics: { row_count: 50_000_000, bytes: 1_592_720_209 },
    })
    for (const time of [job.created_at, job.updated_at, job.started_at])
      expect(time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}000$/)
    expect(job).not.toHaveProperty('error')
  })

  test('that imports shows its source, its data source and what became of the rows', async () => {
    const job = await get(`/v0/jobs/${await scene.submit(IMPORT)}`)
    expect(job).toMatchObject({
      mode: 'append',
      import_id: job.id,
      url: 'https://example.com/e.csv',
      quarantine_rows: 3,
      invalid_lines: 2,
      datasource: { name: 'events', type: 'csv', headers: { cached_delimiter: ',' } },
    })
    expect(differences(IMPORT_EXAMPLE, job)).toEqual([])
    const made = await get(`/v0/jobs/${await scene.submit({ import: { ...IMPORT.import, create: true } })}`)
    expect(made.mode).toBe('create')
  })

  test('shows no password of a URL, and no URL of uploaded content', async () => {
    const withUrl = async (url: string) =>
      (await get(`/v0/jobs/${await scene.submit({ import: { ...IMPORT.import, url } })}`)).url
    expect(await withUrl('https://me:secret@example.com/e.csv?a=1')).toBe('https://me:***@example.com/e.csv?a=1')
    expect(await withUrl('upload:0123')).toBeNull()
  })

  test('that deletes shows its condition and the number of rows', async () => {
    const job = await get(`/v0/jobs/${await scene.submit(KINDS.delete_data)}`)
    expect(job).toMatchObject({ delete_id: job.id, delete_condition: '1', rows_affected: 7 })
  })

  test('that failed shows the reason', async () => {
    const id = await scene.submit({ ...KINDS.query, name: 'fails' }, 'failed')
    expect(await get(`/v0/jobs/${id}`)).toMatchObject({ status: 'error', error: 'There is no column x.' })
  })

  test('for a missing data source shows its name', async () => {
    const id = await scene.submit({ import: { ...IMPORT.import, datasource: 'gone' } })
    expect((await get(`/v0/jobs/${id}`)).datasource).toEqual({ id: null, name: 'gone' })
  })

  test.each(['/v0/jobs', '/v0/jobs/', '/tinybird/v0/jobs', '/tinybird/v0/jobs/'])('is listed at %s', async path => {
    const id = await scene.submit(IMPORT)
    expect(idsOf(await get(path))).toContain(id)
  })

  test.each(['/v0/jobs/ID/', '/tinybird/v0/jobs/ID', '/tinybird/v0/jobs/ID/'])('is found at %s', async path => {
    const id = await scene.submit(IMPORT)
    expect(await get(path.replace('ID', id))).toEqual(await get(`/v0/jobs/${id}`))
  })
})

describe('a cancel', () => {
  test.each(Object.entries(KINDS))('of a waiting job of kind %s is immediate', async (kind, body) => {
    const id = await scene.submit({ ...body, scheduled_at: later() }, 'pending')
    expect(await get(`/v0/jobs/${id}`)).toMatchObject({ status: 'waiting', is_cancellable: true, started_at: null })
    const answer = await cancel(id)
    expect([answer.status, answer.body.kind, answer.body.status]).toEqual([200, kind, 'cancelled'])
    expect(answer.body.is_cancellable).toBe(false)
  })

  test.each(Object.entries(KINDS))('of a running job of kind %s begins', async (_kind, body) => {
    const id = await scene.submit({ ...body, name: 'works' }, 'running')
    expect(await get(`/v0/jobs/${id}`)).toMatchObject({ status: 'working', is_cancellable: true })
    const answer = await cancel(id)
    expect([answer.status, answer.body.status]).toEqual([200, 'cancelling'])
    await expect.poll(async () => (await get(`/v0/jobs/${id}`)).status).toBe('cancelled')
  })

  test.each([
    ['done', { ...IMPORT }, 'completed'],
    ['error', { ...IMPORT, name: 'fails' }, 'failed'],
    ['cancelling', { ...importInto('kept'), name: 'stubborn' }, 'running'],
  ] as const)('of a job in status %s is 400', async (word, body, status) => {
    const id = await scene.submit(body, status)
    if (word === 'cancelling') expect((await cancel(id)).body.status).toBe('cancelling')
    const answer = await cancel(id)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ error: expect.stringContaining(word), documentation: expect.any(String) })
    expect(answer.body.code).toBe(word === 'cancelling' ? 'job_cancelling' : 'job_ended')
    expect((await get(`/v0/jobs/${id}`)).status).toBe(word)
  })

  test('of a cancelled job is 400', async () => {
    const id = await scene.submit({ ...IMPORT, scheduled_at: later() }, 'pending')
    expect((await cancel(id)).status).toBe(200)
    expect((await cancel(id)).status).toBe(400)
  })

  test('by a token without the scope is 403, and leaves the job', async () => {
    const id = await scene.submit({ ...IMPORT, scheduled_at: later() }, 'pending')
    const reader = await tokenOf('default', { role: 'reader' })
    const answer = await scene.call('POST', `/v0/jobs/${id}/cancel`, undefined, reader)
    expect([answer.status, answer.body.error]).toEqual([403, expect.stringContaining('jobs:write')])
    expect((await get(`/v0/jobs/${id}`)).status).toBe('waiting')
  })

  test('of a missing job, or one of another workspace or kind, is 404', async () => {
    const command = await scene.submit({ command: 'true', scheduled_at: later() }, 'pending')
    const id = await scene.submit({ ...IMPORT, scheduled_at: later() }, 'pending')
    const foreign = await tokenOf('other')
    const answers = [
      await cancel(NOBODY),
      await cancel('x'),
      await cancel(command),
      await scene.call('POST', `/v0/jobs/${id}/cancel`, undefined, foreign),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
    for (const { body } of answers) expect(body.error).toEqual(expect.any(String))
    expect((await get(`/v0/jobs/${id}`)).status).toBe('waiting')
    expect((await get(`/v1/jobs/${command}`)).status).toBe('pending')
  })
})

describe('a populate', () => {
  test('shows its steps, with the started ones as its percentage', async () => {
    const id = await scene.submit({ ...POPULATE, name: 'stubborn' }, 'running')
    await expect.poll(async () => (await get(`/v0/jobs/${id}`)).queries.length).toBe(6)
    const answer = await cancel(id)
    expect(answer.body).toMatchObject({
      kind: 'populateview',
      status: 'cancelling',
      is_cancellable: false,
      pipe_name: 'by_day',
      query_id: answer.body.queries[0].query_id,
      progress_percentage: 50,
    })
    expect(answer.body.queries.map(({ status }: { status: string }) => status)).toEqual([
      'done',
      'done',
      'working',
      'waiting',
      'waiting',
      'waiting',
    ])
    const response = await fetch(`${scene.url}/v0/jobs/${id}`, { headers: { authorization: `Bearer ${scene.token}` } })
    expect(await response.text()).toContain('"progress_percentage":50.0')
    scene.release()
  })
})

describe('the list', () => {
  test('has the data jobs in short form, newest first', async () => {
    const headers = await tokenOf('short')
    const submit = async (body: object) => (await scene.call('POST', '/v1/jobs', body, headers)).body.job_id
    const first = await submit(IMPORT)
    await submit({ command: 'true' })
    const second = await submit(KINDS.query)
    const { body } = await scene.call('GET', '/v0/jobs', undefined, headers)
    expect(idsOf(body)).toEqual([second, first])
    expect(body.jobs[1]).toEqual({
      id: first,
      kind: 'import',
      status: expect.any(String),
      created_at: expect.any(String),
      updated_at: expect.any(String),
      job_url: `${scene.url}/v0/jobs/${first}`,
      datasource: { id: null, name: 'events' },
    })
  })

  test.each(Object.keys(KINDS))('filters by kind %s', async kind => {
    await scene.submit(KINDS[kind as keyof typeof KINDS])
    const { jobs } = await get(`/v0/jobs?kind=${kind}`)
    expect(jobs.length).toBeGreaterThan(0)
    expect(new Set(jobs.map((job: { kind: string }) => job.kind))).toEqual(new Set([kind]))
  })

  test('filters by each status', async () => {
    const ids = {
      waiting: await scene.submit({ ...IMPORT, scheduled_at: later() }, 'pending'),
      working: await scene.submit({ ...importInto('worked'), name: 'works' }, 'running'),
      done: await scene.submit(IMPORT),
      error: await scene.submit({ ...IMPORT, name: 'fails' }, 'failed'),
      cancelling: await scene.submit({ ...importInto('kept_too'), name: 'stubborn' }, 'running'),
      cancelled: await scene.submit({ ...IMPORT, scheduled_at: later() }, 'pending'),
    }
    await cancel(ids.cancelling)
    await cancel(ids.cancelled)
    for (const [status, id] of Object.entries(ids)) {
      const list = await get(`/v0/jobs?status=${status}`)
      expect(idsOf(list)).toContain(id)
      expect(new Set(list.jobs.map((job: { status: string }) => job.status))).toEqual(new Set([status]))
    }
  })

  test('filters by pipe, given by name or by id', async () => {
    const pipe = await get('/v0/pipes/by_day')
    const byName = await scene.submit(POPULATE)
    const byId = await scene.submit({ populate: { pipe: pipe.id } })
    const copy = await scene.submit(KINDS.copy)
    for (const query of ['pipe_name=by_day', `pipe_id=${pipe.id}`, `pipe_id=${pipe.id}&pipe_name=by_day`]) {
      const list = await get(`/v0/jobs?${query}`)
      expect(idsOf(list).slice(0, 2)).toEqual([byId, byName])
      expect(idsOf(list)).not.toContain(copy)
      for (const job of list.jobs) expect(job).toMatchObject({ pipe_id: pipe.id, pipe_name: 'by_day' })
    }
    expect((await get(`/v0/jobs?pipe_id=${pipe.id}&pipe_name=snapshot`)).jobs).toEqual([])
    expect((await get('/v0/jobs?pipe_name=nowhere')).jobs).toEqual([])
  })

  test('filters by creation time, with or without a zone', async () => {
    const headers = await tokenOf('times')
    const submit = async () => {
      await new Promise(resolve => setTimeout(resolve, 5))
      return (await scene.call('POST', '/v1/jobs', IMPORT, headers)).body
    }
    const [one, two, three] = [await submit(), await submit(), await submit()]
    const list = async (query: string) => idsOf((await scene.call('GET', `/v0/jobs?${query}`, undefined, headers)).body)
    expect(await list(`created_after=${one.created_at}&created_before=${three.created_at}`)).toEqual([two.job_id])
    expect(await list(`created_after=${two.created_at.replace('T', ' ').replace('Z', '')}`)).toEqual([three.job_id])
    expect(await list('created_after=2023-06-15')).toHaveLength(3)
    for (const zone of ['%2B00:00', '+00:00', '+0000', '-00:00'])
      expect(await list(`created_after=${two.created_at.replace('Z', zone)}`)).toEqual([three.job_id])
    expect(await list('created_before=2023-06-19T18:13:25.855Z')).toEqual([])
    expect(await list(`created_before=${encodeURIComponent('2099-01-01T00:00:00+02:00')}`)).toHaveLength(3)
  })

  test('applies its filters before the limit of 100', async () => {
    const headers = await tokenOf('many')
    const batch = (bodies: object[]) => scene.call('POST', '/v1/jobs/batch', { jobs: bodies }, headers)
    const { body: rare } = await scene.call('POST', '/v1/jobs', KINDS.delete_data, headers)
    const { body: made } = await batch(Array(130).fill(KINDS.query))
    const list = async (query: string) => idsOf((await scene.call('GET', `/v0/jobs${query}`, undefined, headers)).body)
    const newest = made.jobs.map((job: { job_id: string }) => job.job_id).toReversed()
    expect(await list('')).toEqual(newest.slice(0, 100))
    expect(await list('?kind=delete_data')).toEqual([rare.job_id])
  })

  test.each([
    'kind=command',
    'kind=nothing',
    'status=running',
    'status=',
    'kind=import&kind=copy',
    'created_after=yesterday',
    'created_before=2023-13-01',
    'created_after=',
    'pipe_name=%00',
    'limit=10',
  ])('refuses %s with 400 and the reason', async query => {
    const answer = await scene.call('GET', `/v0/jobs?${query}`)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({
      error: expect.stringContaining(query.split('=')[0]!),
      documentation: `${scene.url}/docs`,
    })
  })

  test('has no jobs of another workspace, and neither has the detail', async () => {
    const id = await scene.submit(IMPORT)
    const foreign = await tokenOf('walled')
    expect((await scene.call('GET', '/v0/jobs', undefined, foreign)).body).toEqual({ jobs: [] })
    expect((await scene.call('GET', `/v0/jobs/${id}`, undefined, foreign)).status).toBe(404)
    expect((await scene.call('GET', '/v0/pipes', undefined, foreign)).body).toEqual({ pipes: [] })
    expect((await scene.call('GET', '/v0/datasources', undefined, foreign)).body).toEqual({ datasources: [] })
    for (const path of ['/v0/pipes/by_day', '/v0/datasources/events'])
      expect((await scene.call('GET', path, undefined, foreign)).status).toBe(404)
    for (const path of [
      '/v0/pipes/by_day/nodes/days/population',
      '/v0/pipes/snapshot/copy',
      '/v0/pipes/snapshot/copy/pause',
      '/v0/datasources/events/delete?delete_condition=1',
      '/v0/datasources/events/truncate',
    ])
      expect([path, (await scene.call('POST', path, undefined, foreign)).status]).toEqual([path, 404])
  })
})

test('a job of another kind does not exist here', async () => {
  const id = await scene.submit({ command: 'true' })
  expect((await scene.call('GET', `/v0/jobs/${id}`)).status).toBe(404)
})

test('a job is no longer found after 48 hours, and cannot be cancelled', async () => {
  const done = await scene.submit(IMPORT)
  const waiting = await scene.submit(
    { ...IMPORT, scheduled_at: new Date(clock.now() + 100 * HOUR).toISOString() },
    'pending',
  )
  clock.offset += 48 * HOUR - 60_000
  expect((await get(`/v0/jobs/${done}`)).status).toBe('done')
  expect(idsOf(await get('/v0/jobs'))).toContain(done)
  clock.offset += 120_000
  for (const id of [done, waiting]) {
    expect((await scene.call('GET', `/v0/jobs/${id}`)).status).toBe(404)
    expect((await cancel(id)).status).toBe(404)
  }
  expect(await get('/v0/jobs?created_after=2020-01-01')).toEqual({ jobs: [] })
  expect((await get(`/v1/jobs/${waiting}`)).status).toBe('pending')
})
