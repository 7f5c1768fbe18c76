import { describe, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { FORM, form, type Json, ROWS, useTinybird } from './data-scene.ts'

const tinybird = useTinybird()

describe('pipes', () => {
  test('are listed, and found by name and by id', async () => {
    const { body: list } = await tinybird.call('GET', '/v0/pipes')
    const pipes = new Map(list.pipes.map((one: { name: string; type: string }) => [one.name, one]))
    const pipe = pipes.get('per_day') as Json
    expect([pipe.type, pipes.get('snapshot')]).toEqual(['materialized', expect.objectContaining({ type: 'copy' })])
    expect((await tinybird.call('GET', '/v0/pipes/per_day')).body).toEqual(pipe)
    expect((await tinybird.call('GET', `/v0/pipes/${pipe.id}/`)).body).toEqual(pipe)
    expect(pipe.nodes).toMatchObject([
      { name: 'plain', node_type: 'standard', materialized: null, dependencies: ['facts'] },
      { name: 'daily', node_type: 'materialized', materialized: expect.stringMatching(/^t_/), dependencies: ['plain'] },
    ])
  })

  test('fill a materialized node from the whole history', async () => {
    const started = await tinybird.call('POST', '/v0/pipes/per_day/nodes/daily/population?truncate=true')
    expect(started.body).toMatchObject({
      kind: 'populateview',
      status: 'waiting',
      error: false,
      populateview_id: started.body.id,
      pipe_name: 'per_day',
      datasource: { name: 'days' },
      queries: [],
      job: { status: 'waiting', job_id: started.body.id },
    })
    expect(await tinybird.ended(started)).toMatchObject({
      status: 'done',
      progress_percentage: 100,
      queries: Array(3).fill({ query_id: expect.any(String), status: 'done' }),
      statistics: { row_count: ROWS },
    })
    const some = await tinybird.post(
      '/v0/pipes/per_day/nodes/daily/population',
      form({ populate_condition: 'n < 5', truncate: 'true' }),
    )
    expect(await tinybird.ended(some)).toMatchObject({ status: 'done', statistics: { row_count: 5 } })
    const subset = await tinybird.call('POST', '/v0/pipes/per_day/nodes/daily/population', {
      populate_subset: 0.1,
      truncate: true,
      unlink_on_populate_error: false,
    })
    expect((await tinybird.ended(subset)).statistics.row_count).toBeLessThan(ROWS)
  })

  test('fill a node from an empty source', async () => {
    await tinybird.dataSource('empty', { day: 'Date' })
    await tinybird.pipe('of_empty', [{ name: 'one', sql: 'SELECT day FROM empty', role: materialized('of_nothing') }])
    const job = await tinybird.ended(await tinybird.call('POST', '/v0/pipes/of_empty/nodes/one/population'))
    expect(job).toMatchObject({ status: 'done', queries: [], query_id: null, progress_percentage: 100 })
    expect((await tinybird.call('DELETE', '/v1/pipes/of_empty')).status).toBe(204)
  })

  test('are copied, with parameters for their SQL', async () => {
    await tinybird.call('POST', '/v0/datasources/copies/truncate')
    const started = await tinybird.call('POST', '/v0/pipes/snapshot/copy?most=7')
    expect(started.body.job).toMatchObject({ kind: 'copy', status: 'waiting', datasource: { name: 'copies' } })
    expect(await tinybird.ended(started)).toMatchObject({ status: 'done', statistics: { row_count: 7 } })
    expect(await tinybird.ended(await tinybird.post('/v0/pipes/snapshot/copy', form({ most: '3' })))).toMatchObject({
      statistics: { row_count: 10 },
    })
    const replaced = await tinybird.call('POST', '/v0/pipes/snapshot/copy?_mode=replace', { most: 4 })
    expect(await tinybird.ended(replaced)).toMatchObject({ mode: 'replace', statistics: { row_count: 4 } })
  })
})

test('the schedule of a copy is paused and resumed', async () => {
  await tinybird.dataSource('hours', { n: 'UInt64' })
  const made = await tinybird.call('POST', '/v1/pipes', {
    name: 'scheduled',
    nodes: [
      {
        name: 'hourly',
        sql: 'SELECT n FROM hours',
        copy_into: 'hours_copied',
        schedule: { intervals: [{ every: '1h' }] },
      },
    ],
  })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const state = async () => (await tinybird.call('GET', '/v1/workflows/copy%20scheduled.hourly')).body.state
  expect(await state()).toBe('active')
  expect((await tinybird.call('POST', '/v0/pipes/scheduled/copy/pause')).status).toBe(200)
  expect(await state()).toBe('paused')
  expect((await tinybird.call('POST', '/tinybird/v0/pipes/scheduled/copy/resume/')).status).toBe(200)
  expect(await state()).toBe('active')
})

test('run a repeated form once with an Idempotency-Key', async () => {
  const again = (body: string) =>
    tinybird.post('/v0/datasources/facts/delete', body, { ...FORM, 'idempotency-key': 'once' })
  const one = await again(form({ delete_condition: 'n > 1000' }))
  expect((await again(form({ delete_condition: 'n > 1000' }))).body.job_id).toBe(one.body.job_id)
  expect((await again(form({ delete_condition: 'n > 2000' }))).status).toBe(409)
})
