import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPipe, replacePipe } from '../../src/data/pipes/pipes.ts'
import type { NodeRole } from '../../src/model/pipe.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

/** Columns added to data sources that nodes fill: the nodes do not return them. */
let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('events', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)', sortingKey: 'day' })
  await scene.dataSource('daily', { day: 'Date', n: 'UInt64' })
  await scene.dataSource('monthly', { month: 'Date', n: 'UInt64' })
  await scene.dataSource('copies', { day: 'Date', n: 'UInt64' })
  expect(await put()).toBeNull()
  await createPipe(scene.data, WORKSPACE, { name: 'sums', nodes: NODES })
  for (const name of ['daily', 'monthly', 'copies']) await addColumns(name)
})
afterAll(() => scene?.stop())

const copied: NodeRole = { type: 'copy', into: 'copies', mode: 'append', schedule: null }
const NODES = [
  { name: 'per_day', sql: 'SELECT sum(n) AS n, day FROM events GROUP BY day', role: materialized('daily') },
  {
    name: 'per_month',
    sql: 'SELECT toStartOfMonth(day) AS month, sum(n) AS n FROM daily GROUP BY month',
    role: materialized('monthly'),
  },
  { name: 'all_days', sql: 'SELECT day, n FROM events', role: copied },
]

const addColumns = async (name: string) => {
  const { body } = await scene.call('GET', `/v1/datasources/${name}`)
  const more = [
    { name: 'a', type: 'UInt8' },
    { name: 'c', type: 'Nullable(String)' },
  ]
  const answer = await scene.call('PUT', `/v1/datasources/${name}`, { schema: [...body.schema, ...more] })
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
}

/** Two months of days. */
const put = async (mode = 'append') =>
  (
    await scene.run({
      query: "SELECT toDate('2026-01-01') + number AS day, 1 AS n FROM numbers(59)",
      datasource: 'events',
      mode,
    })
  ).error

const totals = () =>
  scene.value(`SELECT ((SELECT (count(), sum(n), sum(a), countIf(c IS NULL)) FROM daily),
    (SELECT (count(), sum(n), sum(a), countIf(c IS NULL)) FROM monthly))`)

test('appends, replaces, populates and copies leave added columns at their defaults', async () => {
  const empty = await totals()
  expect(await put()).toBeNull()
  const once = await totals()
  expect(once).not.toBe(empty)
  expect(once).toBe('59,59,0,59,2,59,0,2')
  expect(await put('replace')).toBeNull()
  expect(await totals()).toBe(once)
  expect((await scene.run({ populate: { pipe: 'sums', node: 'per_day', truncate: true } })).error).toBeNull()
  expect(await totals()).toBe(once)
  expect((await scene.run({ copy: { pipe: 'sums' } })).error).toBeNull()
  expect(await scene.value('SELECT (count(), sum(n), sum(a), countIf(c IS NULL)) FROM copies')).toBe('59,59,0,59')
})

test('a pipe whose nodes lack added columns can be saved, one with columns that its data source lacks cannot', async () => {
  expect((await replacePipe(scene.data, WORKSPACE, 'sums', { name: 'sums', nodes: NODES })).nodes).toHaveLength(3)
  const more = [{ name: 'more', sql: 'SELECT day, n, 1 AS z FROM events', role: materialized('daily') }]
  await expect(createPipe(scene.data, WORKSPACE, { name: 'more_of', nodes: more })).rejects.toMatchObject({
    errors: [{ path: 'nodes.0.sql', message: expect.stringMatching(/more.*daily does not have: z/) }],
  })
})

test('a query into a data source must still return all of its columns', async () => {
  const job = await scene.run({ query: "SELECT toDate('2026-01-01') AS day, 1 AS n", datasource: 'copies' })
  expect(job.error).toMatchObject({ code: 'schema_mismatch', message: expect.stringContaining('a, c') })
})
