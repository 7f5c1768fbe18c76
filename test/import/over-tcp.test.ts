import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { type ImportScene, openImportScene } from './scene.ts'

// Content sent to an engine that cannot open files of this machine, like a ClickHouse server.

let engine: TcpEngine
let scene: ImportScene

beforeAll(async () => {
  engine = await startTcpEngine()
  scene = await openImportScene({ 'clickhouse-url': engine.url })
})
afterAll(async () => {
  await scene?.stop()
  await engine?.close()
})

const TYPES = { id: 'UInt32', at: 'DateTime', name: 'Nullable(String)' }
const GOOD = ['1', '2024-07-01 12:00:00', 'a']

test.each([
  ['csv', 'id,at,name\n1,2024-07-01 12:00:00,a\nx,2024-07-01 12:00:00,b\n'],
  ['ndjson', '{"id":1,"at":"2024-07-01 12:00:00","name":"a"}\n{"id":"x","at":"2024-07-01 12:00:00"}\nno line\n'],
])(
  'an import of %s writes valid rows, quarantines invalid ones and counts unreadable lines',
  async (format, content) => {
    await scene.dataSource(`of_${format}`, TYPES)
    const job = await scene.import({ datasource: `of_${format}`, url: scene.give(`/a.${format}`, content) })
    expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1, quarantine_rows: 1 } })
    expect(job.statistics.invalid_lines).toBe(format === 'csv' ? 0 : 1)
    expect(await scene.table(`of_${format}`)).toEqual([GOOD])
    const { body } = await scene.call('GET', `/v1/datasources/of_${format}/quarantine`)
    expect(body.rows).toMatchObject([{ id: 'x', c__error_column: ['id'] }])
  },
)

test('half a surrogate pair is quarantined, and whole pairs are characters', async () => {
  await scene.dataSource('halves', { text: 'String' })
  const content = '{"text":"\\ud83d\\ude00"}\n{"text":"a\\udc00"}\n'
  const job = await scene.import({ datasource: 'halves', url: scene.give('/halves.ndjson', content) })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1, quarantine_rows: 1 } })
  expect(await scene.table('halves')).toEqual([['😀']])
})

test('clean content larger than one request is imported', async () => {
  await scene.dataSource('many', { id: 'UInt32', text: 'String' })
  const lines = Array.from({ length: 300_000 }, (_, index) => `${index},text ${index}\n`)
  const job = await scene.import({ datasource: 'many', url: scene.give('/many.csv', lines.join('')) })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 300_000 } })
  expect(await scene.value('SELECT sum(id) FROM many')).toBe(String((300_000 * 299_999) / 2))
})

/** A file written by the engine. */
const parquet = async (query: string): Promise<Uint8Array> => {
  const job = await scene.run({ query, format: 'parquet' })
  const headers = { authorization: `Bearer ${scene.token}` }
  const result = await fetch(`${scene.url}/v1/jobs/${job.job_id}/result`, { headers })
  return new Uint8Array(await result.arrayBuffer())
}

test('Parquet is imported by column name, and only the values in it are stored', async () => {
  await scene.dataSource('of_parquet', { id: 'UInt8', at: 'DateTime', name: 'Nullable(String)' })
  const at = "toDateTime('2024-07-01 12:00:00') AS at"
  const good = await parquet(`SELECT 'a' AS name, toInt64(1) AS id, ${at}`)
  const load = (content: Uint8Array) =>
    scene.import({ datasource: 'of_parquet', url: scene.give('/a.parquet', content) })
  expect(await load(good)).toMatchObject({ status: 'completed', statistics: { rows_written: 1 } })
  const bad = await load(await parquet(`SELECT 'b' AS name, toInt64(301) AS id, ${at}`))
  expect(bad).toMatchObject({ status: 'completed', statistics: { rows_written: 0, quarantine_rows: 1 } })
  expect(await load(await parquet(`SELECT 1 AS id, ${at}, 2 AS other`))).toMatchObject({
    status: 'failed',
    error: { code: 'schema_mismatch', message: expect.stringContaining('other') },
  })
  expect(await load(good.subarray(0, -1))).toMatchObject({ status: 'failed', error: { code: 'content_unreadable' } })
  expect(await scene.table('of_parquet')).toEqual([GOOD])
})

test('a data source is created from the footer of Parquet', async () => {
  const content = await parquet('SELECT toInt16(number) AS id, [toString(number)] AS tags FROM numbers(3)')
  const fields = { datasource: 'made', url: scene.give('/made.parquet', content), create: true }
  expect(await scene.import(fields)).toMatchObject({ status: 'completed', statistics: { rows_written: 3 } })
  const { body } = await scene.call('GET', '/v1/datasources/made')
  expect(body.schema).toMatchObject([
    { name: 'id', type: 'Int16' },
    { name: 'tags', type: 'Array(String)' },
  ])
})

test('rows that replace each other keep their order, are counted as written, and can be deleted and replaced by condition', async () => {
  await scene.dataSource(
    'latest',
    { id: 'UInt32', value: 'UInt32' },
    { engine: 'ReplacingMergeTree', sortingKey: 'id' },
  )
  const load = (content: string, more = {}) =>
    scene.import({ datasource: 'latest', url: scene.give('/latest.csv', `id,value\n${content}`), ...more })
  const latest = () => scene.value('SELECT groupArray((id, value)) FROM (SELECT * FROM latest FINAL ORDER BY id)')

  expect(await load('1,1\n2,1\n1,2\n')).toMatchObject({ status: 'completed', statistics: { rows_written: 3 } })
  expect(await load('2,3\n3,3\n')).toMatchObject({ status: 'completed', statistics: { rows_written: 2 } })
  expect(await latest()).toBe('1,2,2,3,3,3')
  await scene.run({ delete: { datasource: 'latest', condition: 'id = 3' } })
  expect(await latest()).toBe('1,2,2,3')
  const replace = { mode: 'replace', replace_condition: 'value = 4' }
  expect(await load('1,4\n', replace)).toMatchObject({ status: 'completed', statistics: { rows_written: 1 } })
  expect(await latest()).toBe('1,4,2,3')
})

test('a statement with too many columns for a URL is imported', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `at_${index}`)
  await scene.dataSource('wide', Object.fromEntries(names.map(name => [name, 'DateTime'])))
  const lines = [names, names.map(() => '2024-07-01 12:00:00'), names.map(() => '2024-13-45')].map(line =>
    line.join(','),
  )
  const before = engine.seen.length
  const job = await scene.import({ datasource: 'wide', url: scene.give('/wide.csv', `${lines.join('\n')}\n`) })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1, quarantine_rows: 1 } })
  const inserts = engine.seen.slice(before).filter(({ sql }) => /^INSERT INTO `(wide|stg_judged)/.test(sql))
  expect(inserts.length).toBeGreaterThan(1)
  expect(inserts.every(({ isInAddress }) => !isInAddress)).toBe(true)
})

test('append, populate, copy and delete feed a pipe and leave nothing in staging', async () => {
  await scene.dataSource('events', { id: 'UInt32', day: 'Date' }, { sortingKey: 'id', partitionKey: 'day' })
  await scene.dataSource('per_day', { day: 'Date', ids: 'UInt64' }, { sortingKey: 'day' })
  const load = (content: string) => scene.import({ datasource: 'events', url: scene.give('/events.csv', content) })
  await load('id,day\n1,2024-01-01\n2,2024-01-02\n')
  const sql = 'SELECT day, count() AS ids FROM events GROUP BY day'
  await scene.pipe('days', [{ name: 'daily', sql, role: { type: 'materialized', into: 'per_day' } }])
  const populated = await scene.run({ populate: { pipe: 'days' } })
  expect(populated.status).toBe('completed')
  await load('id,day\n3,2024-01-03\n')
  expect(await scene.table('per_day')).toEqual([
    ['2024-01-01', '1'],
    ['2024-01-02', '1'],
    ['2024-01-03', '1'],
  ])
  const deleted = await scene.run({ delete: { datasource: 'events', condition: 'id = 2' } })
  expect(deleted).toMatchObject({ status: 'completed', statistics: { rows_deleted: 1 } })
  expect(await scene.table('events')).toHaveLength(2)
  const copied = await scene.run({ query: 'SELECT id, day FROM events', datasource: 'events', mode: 'append' })
  expect(copied.status).toBe('completed')
  expect(await scene.value('SELECT count() FROM events')).toBe('4')
  expect(await scene.value("SELECT count() FROM system.databases WHERE name LIKE '%stg\\_%'")).toBe('0')
})
