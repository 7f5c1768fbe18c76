import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { type ImportScene, openImportScene } from './scene.ts'

// Content that is sent to an engine which cannot open files of this machine, as a ClickHouse server cannot.

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
])('an import of %s: rows that fit, quarantine, lines that cannot be read', async (format, content) => {
  await scene.dataSource(`of_${format}`, TYPES)
  const job = await scene.import({ datasource: `of_${format}`, url: scene.give(`/a.${format}`, content) })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1, quarantine_rows: 1 } })
  expect(job.statistics.invalid_lines).toBe(format === 'csv' ? 0 : 1)
  expect(await scene.table(`of_${format}`)).toEqual([GOOD])
  const { body } = await scene.call('GET', `/v1/datasources/of_${format}/quarantine`)
  expect(body.rows).toMatchObject([{ id: 'x', c__error_column: ['id'] }])
})

test('an import of more than a request holds at once, and of clean content', async () => {
  await scene.dataSource('many', { id: 'UInt32', text: 'String' })
  const lines = Array.from({ length: 300_000 }, (_, index) => `${index},text ${index}\n`)
  const job = await scene.import({ datasource: 'many', url: scene.give('/many.csv', lines.join('')) })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 300_000 } })
  expect(await scene.value('SELECT sum(id) FROM many')).toBe(String((300_000 * 299_999) / 2))
})

test('an import of Parquet', async () => {
  await scene.dataSource('of_parquet', TYPES)
  const exported = await scene.run({
    query: "SELECT toUInt32(1) AS id, toDateTime('2024-07-01 12:00:00') AS at, 'a' AS name",
    format: 'parquet',
  })
  const result = await fetch(`${scene.url}/v1/jobs/${exported.job_id}/result`, {
    headers: { authorization: `Bearer ${scene.token}` },
  })
  const url = scene.give('/a.parquet', new Uint8Array(await result.arrayBuffer()))
  const job = await scene.import({ datasource: 'of_parquet', url })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1 } })
  expect(await scene.table('of_parquet')).toEqual([GOOD])
})

test('a pipe is fed by an append and populated; a copy and a delete; nothing is left in staging', async () => {
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
