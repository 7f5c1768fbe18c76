import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alterDataSource, createDataSource } from '../../src/data/tables/data-sources.ts'
import { exchangeTables } from '../../src/data/write/exchange-tables.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const write = async (query: string, datasource: string) => {
  const job = await scene.run({ query, datasource })
  expect(job).toMatchObject({ status: 'completed', error: null })
  return job
}

const load = async (path: string, content: string) => {
  const headers = { authorization: `Bearer ${scene.token}`, 'content-type': 'text/csv' }
  const answer = await fetch(scene.url + path, { method: 'POST', headers, body: content })
  const { job_id } = (await answer.json()) as { job_id: string }
  return (await scene.call('GET', `/v1/jobs/${job_id}?wait=60`)).body
}

describe('where rows replace each other', () => {
  test.each([
    ['ReplacingMergeTree', 'String'],
    ['CoalescingMergeTree', 'Nullable(String)'],
  ])('in %s, appended rows replace the earlier ones', async (engine, type) => {
    const name = engine.toLowerCase()
    await scene.dataSource(name, { id: 'UInt64', value: type }, { engine, sortingKey: 'id' })
    await write("SELECT 1 AS id, 'old' AS value", name)
    await write("SELECT 1 AS id, 'new' AS value", name)
    expect(await scene.value(`SELECT value FROM ${name} FINAL`)).toBe('new')
    await scene.rows(`OPTIMIZE TABLE ${name} FINAL`)
    expect(await scene.value(`SELECT value FROM ${name}`)).toBe('new')
  })

  test('all written rows count and feed nodes, even those that are replaced', async () => {
    const columns = { id: 'UInt64', value: 'UInt64' }
    await scene.dataSource('latest', columns, { engine: 'ReplacingMergeTree', sortingKey: 'id' })
    const sql = 'SELECT count() AS n FROM latest'
    await scene.pipe('of_latest', [{ name: 'counted', sql, role: materialized('latest_counts') }])
    const job = await write('SELECT number % 2 AS id, number AS value FROM numbers(10)', 'latest')
    expect(job.statistics).toMatchObject({ rows_written: 10 })
    expect(await scene.value('SELECT sum(n) FROM latest_counts')).toBe('10')
    const imported = await load('/v1/datasources/latest/import?format=csv', 'id,value\n7,1\n7,2\n7,3\n')
    expect(imported.statistics).toMatchObject({ rows_read: 3, rows_written: 3 })
  })
})

describe('a populate', () => {
  beforeAll(async () => {
    const keys = { engine: 'ReplacingMergeTree', sortingKey: 'id', partitionKey: 'id % 3' }
    await scene.dataSource('users', { id: 'UInt64', name: 'String' }, keys)
    await scene.dataSource('names', { name: 'String', length: 'UInt64' })
    await write("SELECT number AS id, 'before' AS name FROM numbers(9)", 'users')
    await write("SELECT number AS id, 'after' AS name FROM numbers(9)", 'users')
    await write("SELECT 'after' AS name, 5 AS length", 'names')
    await scene.pipe('of_users', [
      {
        name: 'measured',
        sql: 'SELECT users.id AS id, users.name AS name, names.length AS length FROM users FINAL LEFT JOIN names ON names.name = users.name',
        role: materialized('measured_users'),
      },
    ])
  })

  const populate = (more: object) => scene.run({ populate: { pipe: 'of_users', truncate: true, ...more } })
  const measured = () => scene.value("SELECT (count(), countIf(name = 'after'), sum(length)) FROM measured_users")

  test('runs a node that reads its source with FINAL', async () => {
    expect(await populate({})).toMatchObject({
      status: 'completed',
      error: null,
      statistics: { rows_read: 18, rows_written: 9, bytes_read: expect.any(Number) },
    })
    expect(await measured()).toBe('9,9,45')
  })

  test('leaves out rows that do not meet its condition', async () => {
    expect(await populate({ condition: 'users.id < 4' })).toMatchObject({ status: 'completed', error: null })
    expect(await measured()).toBe('4,4,20')
  })

  test('leaves no staging database behind', async () => {
    expect(await scene.staging()).toEqual([])
  })
})

test('a replace computes joined nodes from the new rows of the replaced data source', async () => {
  for (const name of ['first', 'second']) await scene.dataSource(name, { k: 'UInt64' })
  await scene.pipe('of_first', [{ name: 'copied', sql: 'SELECT k FROM first', role: materialized('firsts') }])
  await scene.pipe('of_both', [
    {
      name: 'joined',
      sql: 'SELECT second.k AS k FROM second JOIN firsts ON firsts.k = second.k',
      role: materialized('both'),
    },
    { name: 'moved', sql: 'SELECT k + 1000 AS k FROM firsts', role: materialized('both') },
  ])
  await write('SELECT number AS k FROM numbers(3)', 'first')
  await write('SELECT number AS k FROM numbers(5)', 'second')
  await scene.run({ query: 'SELECT number AS k FROM numbers(2)', datasource: 'first', mode: 'replace' })
  expect(await scene.value('SELECT arraySort(groupArray(k)) FROM both')).toBe('0,1,1000,1001')
})

test('a node may join its own target and that of another node of the write, and reads both whole', async () => {
  for (const name of ['arrivals', 'seen', 'wanted']) await scene.dataSource(name, { id: 'UInt64' })
  await write('SELECT number AS id FROM numbers(10)', 'wanted')
  await scene.pipe('once', [
    { name: 'fresh', sql: 'SELECT id FROM arrivals WHERE id NOT IN (SELECT id FROM seen)', role: materialized('seen') },
    {
      name: 'known',
      sql: 'SELECT arrivals.id AS id FROM arrivals JOIN seen ON seen.id = arrivals.id JOIN wanted ON wanted.id = seen.id',
      role: materialized('known_arrivals'),
    },
  ])
  const ids = (name: string) => scene.value(`SELECT arraySort(groupArray(id)) FROM ${name}`)
  await write('SELECT number AS id FROM numbers(3)', 'arrivals')
  await write('SELECT number AS id FROM numbers(5)', 'arrivals')
  expect(await ids('seen')).toBe('0,1,2,3,4')
  expect(await ids('known_arrivals')).toBe('0,0,1,1,2,2,3,4')
  await scene.run({ populate: { pipe: 'once', node: 'fresh', truncate: true } })
  expect(await ids('seen')).toBe('0,0,1,1,2,2,3,4')
  expect(await scene.staging()).toEqual([])
})

test('a condition may use columns of any name', async () => {
  const columns = { day: 'Date', count: 'UInt64', partition: 'String', sample: 'String' }
  await scene.dataSource('odd', columns, { partitionKey: 'day' })
  await write(
    "SELECT toDate('2026-01-01') + number AS day, number AS count, toString(number) AS partition, 's' AS sample FROM numbers(6)",
    'odd',
  )
  for (const condition of ['count = 1', "partition = '3'"])
    expect(await scene.run({ delete: { datasource: 'odd', condition } })).toMatchObject({
      status: 'completed',
      statistics: { rows_deleted: 1 },
    })
  const path = `/v1/datasources/odd/import?format=csv&mode=replace&replace_condition=${encodeURIComponent("count = 5 AND sample = 's'")}`
  const job = await load(path, 'day,count,partition,sample\n2027-01-01,5,new,s\n')
  expect(job).toMatchObject({ status: 'completed', error: null })
  expect(await scene.value('SELECT arraySort(groupArray(partition)) FROM odd')).toBe('0,2,4,new')
})

test('of several changes at once one is made, and the table matches the catalogue', async () => {
  await scene.dataSource('changed', { a: 'UInt64' })
  const add = (name: string) =>
    alterDataSource(scene.data, WORKSPACE, 'changed', {
      columns: [
        { name: 'a', type: 'UInt64', jsonPath: null },
        { name, type: 'Nullable(String)', jsonPath: null },
      ],
    })
  const results = await Promise.allSettled(['b', 'c', 'd', 'e'].map(add))
  const refusals = results.flatMap(result => (result.status === 'rejected' ? [result.reason.code] : []))
  expect(refusals.length).toBeLessThan(4)
  for (const code of refusals) expect(['data_busy', 'invalid']).toContain(code)
  expect(JSON.stringify(results)).not.toContain('stg_try')
  await scene
    .run({ query: 'SELECT * FROM changed', datasource: 'changed' })
    .then(job => expect(job).toMatchObject({ status: 'completed', error: null }))
})

test('a recreated data source gets no rows of a publication for the former one', async () => {
  await scene.dataSource('anew', { a: 'UInt64' })
  await write('SELECT 1 AS a', 'anew')
  const stagingDatabase = 'anew_staged'
  await scene.rows(`CREATE DATABASE ${stagingDatabase}`)
  const former = 't_00000000000000000000000000000000'
  await scene.rows(
    `CREATE TABLE ${stagingDatabase}.anew (b String) ENGINE = MergeTree ORDER BY tuple() COMMENT '${former}'`,
  )
  const uuid = await scene.value(`SELECT uuid FROM system.tables WHERE database = '${stagingDatabase}'`)
  await exchangeTables(scene.data, { workspace: WORKSPACE, stagingDatabase, tables: [{ name: 'anew', uuid }] })
  expect(await scene.value('SELECT a FROM anew')).toBe('1')
  await scene.rows(`DROP DATABASE ${stagingDatabase} SYNC`)
})

test('more than one expression is refused before it becomes part of a statement', async () => {
  const columns = [{ name: 'day', type: 'Date', jsonPath: null }]
  for (const ttl of ['day GROUP BY ALL', 'DISTINCT day', 'day WITH TOTALS'])
    await expect(createDataSource(scene.data, WORKSPACE, { name: 'kept', columns, ttl })).rejects.toMatchObject({
      errors: [{ path: 'ttl', message: 'Only one expression may stand here.' }],
    })
})
