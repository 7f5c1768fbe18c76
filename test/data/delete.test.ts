import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enginesOf } from './engines-of.ts'
import { type DataScene, openDataScene } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const write = async (query: string, datasource: string) =>
  expect(await scene.run({ query, datasource })).toMatchObject({ status: 'completed', error: null })

const remove = (datasource: string, condition: string) => scene.run({ delete: { datasource, condition } })

const submit = async (body: unknown): Promise<string> => (await scene.call('POST', '/v1/jobs', body)).body.job_id
const job = async (id: string, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body

/** The files that hold the columns of each part of a table, as the disk tells them apart: by the first row in it. */
const filesOf = async (table: string): Promise<ReadonlyMap<string, number>> => {
  const parts = await scene.rows<{ path: string; first: string }>(
    `SELECT path, first FROM system.parts INNER JOIN (SELECT _part AS name, toString(min(n)) AS first FROM ${table} GROUP BY _part) AS rows
     USING name WHERE database = 'live' AND table = '${table}' AND active`,
  )
  return new Map(
    parts.map(({ path, first }) => {
      const file = readdirSync(path).find(name => name.endsWith('.bin'))!
      return [first, statSync(join(path, file)).ino]
    }),
  )
}

test('only the parts that contain deleted rows are rewritten', async () => {
  await scene.dataSource(
    'parted',
    { day: 'Date', n: 'UInt64', pad: 'String' },
    { partitionKey: 'day', sortingKey: 'n' },
  )
  for (const [day, from] of [
    ['2026-01-01', 0],
    ['2026-01-01', 1000],
    ['2026-01-01', 2000],
    ['2026-01-02', 3000],
    ['2026-01-03', 4000],
  ] as const)
    await write(
      `SELECT toDate('${day}') AS day, number + ${from} AS n, randomString(10000) AS pad FROM numbers(1000)`,
      'parted',
    )
  const before = await filesOf('parted')
  expect([...before.keys()].sort()).toEqual(['0', '1000', '2000', '3000', '4000'])
  // Some rows of one part, and all rows of a partition.
  expect((await remove('parted', 'n = 1005 OR n BETWEEN 3000 AND 3999')).statistics).toMatchObject({
    rows_deleted: 1001,
    row_count: 3999,
  })
  const after = await filesOf('parted')
  expect([...after.keys()].sort()).toEqual(['0', '1000', '2000', '4000'])
  for (const [first, file] of after) expect([first, file === before.get(first)]).toEqual([first, first !== '1000'])
  expect(await scene.value('SELECT count() FROM parted WHERE n = 1005')).toBe('0')
  expect(await scene.staging()).toEqual([])
})

test.each([
  ['a column named like a value', '`true` = 1', [0]],
  ['a column named like a keyword', '`not` = 0', [1]],
  ['a column that may be null', 'maybe = 1', [0, 2, 3]],
  ['an underscore before a column', '_id = 3', [0, 1, 2]],
  ["the engine's own names for a row", "_partition_id = 'all' AND n = 2", [0, 1, 3]],
  ['all rows', '1', []],
  ['no row', '0', [0, 1, 2, 3]],
])('a condition of %s deletes exactly its rows, from large parts and from small ones', async (_, condition, kept) => {
  for (const pad of ['randomString(3000000)', "''"]) {
    const columns = {
      n: 'UInt64',
      true: 'UInt8',
      not: 'UInt8',
      maybe: 'Nullable(UInt8)',
      _id: 'UInt64',
      pad: 'String',
    }
    const name = `named_${kept.join('_')}_${pad.length}`
    await scene.dataSource(name, columns, { sortingKey: 'n' })
    const rows = `SELECT number AS n, number > 0 AS \`true\`, number = 1 AS \`not\`, if(number % 2 = 0, NULL, number = 1) AS maybe,
    number AS _id, ${pad} AS pad FROM numbers(4)`
    await write(rows, name)
    const done = await remove(name, condition)
    expect(done).toMatchObject({ status: 'completed', error: null })
    expect(done.statistics).toMatchObject({ rows_deleted: 4 - kept.length, row_count: kept.length })
    expect(await scene.value(`SELECT arraySort(groupArray(n)) FROM ${name}`)).toBe(kept.join(','))
  }
})

test('a delete from a quarantine is refused with the call that removes its rows', async () => {
  await scene.dataSource('marked', { n: 'UInt8' })
  const { error } = await remove('marked_quarantine', "c__import_id = 'x'")
  expect(error.message).toContain('DELETE /v1/datasources/marked/quarantine')
})

test('small parts are copied with their partition: the engine rewrites only ten parts in a second', async () => {
  await scene.dataSource('small', { n: 'UInt64' }, { sortingKey: 'n' })
  await scene.warehouse.command({ workspace: 'default', sql: 'SYSTEM STOP MERGES live.small' })
  for (let part = 0; part < 40; part++)
    await scene.warehouse.command({
      workspace: 'default',
      sql: `INSERT INTO small SELECT number + ${part} * 10 FROM numbers(10)`,
    })
  expect(await remove('small', 'n = 77')).toMatchObject({
    statistics: { rows_deleted: 1, row_count: 399 },
    progress: { message: expect.stringMatching(/^partition 1 of 1/) },
  })
})

test('a delete keeps rows with a TTL and aggregate states as they are', async () => {
  await scene.dataSource('expiring', { at: 'DateTime', n: 'UInt64' }, { sortingKey: 'n', ttl: 'at + INTERVAL 1 YEAR' })
  await write('SELECT now() AS at, number AS n FROM numbers(10)', 'expiring')
  expect((await remove('expiring', 'n < 3')).statistics).toMatchObject({ rows_deleted: 3, row_count: 7 })
  await scene.dataSource(
    'states',
    { k: 'UInt64', n: 'AggregateFunction(count)' },
    { engine: 'AggregatingMergeTree', sortingKey: 'k' },
  )
  for (let round = 0; round < 3; round++)
    await write('SELECT number % 5 AS k, countState() AS n FROM numbers(100) GROUP BY k', 'states')
  expect(await remove('states', 'k = 2')).toMatchObject({ status: 'completed' })
  expect(
    await scene.value(
      'SELECT groupArray((k, n)) FROM (SELECT k, countMerge(n) AS n FROM states GROUP BY k ORDER BY k)',
    ),
  ).toBe('0,60,1,60,3,60,4,60')
})

/** Rows, and a condition that takes time to evaluate on them. */
const SLOW = 'n = 5 OR sleepEachRow(0.0001) = 1'

const begin = async (name: string): Promise<string> => {
  await scene.dataSource(name, { n: 'UInt64', pad: 'String' }, { sortingKey: 'n' })
  await write('SELECT number AS n, randomString(500) AS pad FROM numbers(20000)', name)
  const id = await submit({ delete: { datasource: name, condition: SLOW } })
  const mutations = () =>
    scene.value("SELECT count() FROM system.mutations WHERE database LIKE 'stg\\_%' AND NOT is_done")
  await expect.poll(mutations, { timeout: 30_000, interval: 20 }).toBe('1')
  return id
}

test('a delete that is cancelled half-way has reported its progress, and leaves the rows and the engine as they were', async () => {
  const id = await begin('cancelled')
  await expect
    .poll(async () => (await job(id)).progress?.message, { timeout: 30_000 })
    .toMatch(/^[\d,]+ of 20,000 rows$/)
  const engines = enginesOf(scene.dataDir)
  await scene.call('POST', `/v1/jobs/${id}/cancel`)
  expect((await job(id, 5)).status).toBe('cancelled')
  expect(await scene.value('SELECT count() FROM cancelled')).toBe('20000')
  expect(await scene.staging()).toEqual([])
  expect(enginesOf(scene.dataDir)).toEqual(engines)
}, 60_000)

test('a delete whose engine is killed half-way is retried, and deletes its rows once', async () => {
  const id = await begin('killed')
  for (const pid of enginesOf(scene.dataDir)) process.kill(pid, 'SIGKILL')
  expect(await job(id, 60)).toMatchObject({ status: 'completed', attempt: 2, statistics: { rows_deleted: 1 } })
  expect(await scene.value('SELECT (count(), countIf(n = 5)) FROM killed')).toBe('19999,0')
  expect(await scene.staging()).toEqual([])
}, 90_000)

test('a delete whose engine is killed half-way and that must not be restarted leaves the rows as they were', async () => {
  await scene.dataSource('once', { n: 'UInt64', pad: 'String' }, { sortingKey: 'n' })
  await write('SELECT number AS n, randomString(500) AS pad FROM numbers(20000)', 'once')
  const id = await submit({ delete: { datasource: 'once', condition: SLOW }, restartable: false })
  await expect
    .poll(() => scene.value("SELECT count() FROM system.mutations WHERE database LIKE 'stg\\_%'"), {
      interval: 20,
      timeout: 30_000,
    })
    .toBe('1')
  for (const pid of enginesOf(scene.dataDir)) process.kill(pid, 'SIGKILL')
  expect(await job(id, 60)).toMatchObject({ status: 'failed', status_reason: 'engine_lost' })
  expect(await scene.value('SELECT (count(), countIf(n = 5)) FROM once')).toBe('20000,1')
}, 90_000)
