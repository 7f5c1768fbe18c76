import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

let scene: ImportScene
let name: string
let count = 0

beforeAll(async () => {
  scene = await openImportScene()
})
afterAll(() => scene.stop())

beforeEach(async () => {
  name = `listed_${++count}`
  await scene.dataSource(name, { id: 'Nullable(Int32)', b: 'Nullable(String)' })
})

const load = (content: string | Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: name, url: scene.give(`/${name}.json`, content), ...fields })

const ROWS = [
  { id: 1, b: 'a, "b"]' },
  { id: 2, b: '\n{[' },
  { id: null, b: '' },
]
const TABLE = ROWS.map(({ id, b }) => [id === null ? null : String(id), b])

test.each([
  ['in one line', JSON.stringify(ROWS)],
  ['indented', `\ufeff${JSON.stringify(ROWS, null, '\t').replaceAll('\n', '\r\n')}\r\n`],
  ['compressed', gzipSync(JSON.stringify(ROWS, null, 2))],
])('the elements of a JSON array %s are rows', async (_, content) => {
  expect(await load(content)).toMatchObject({
    status: 'completed',
    statistics: {
      rows_written: 3,
      rows_read: 3,
      quarantine_rows: 0,
      invalid_lines: 0,
      bytes_read: Buffer.from(content).length,
    },
  })
  expect(new Set(await scene.table(name))).toEqual(new Set(TABLE))
})

test('what a query writes as JSON can be imported', async () => {
  await load(JSON.stringify(ROWS))
  const query = `SELECT * FROM ${name}`
  const job = await scene.run({ query, format: 'json' })
  const { body } = await scene.call('GET', `/v1/jobs/${job.job_id}/result`)
  expect(await load(JSON.stringify(body), { mode: 'replace' })).toMatchObject({ statistics: { rows_written: 3 } })
  expect(new Set(await scene.table(name))).toEqual(new Set(TABLE))
})

test('elements that do not fit are quarantined, those that are no objects counted with their numbers', async () => {
  const job = await load('[\n  {"id": 1},\n  {"id": "x"},\n  [2],\n  "three", {"id": 4,},\n  {"id": 5}\n]\n')
  expect(job).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2, quarantine_rows: 1, invalid_lines: 3 },
  })
  expect(await scene.log(job.job_id)).toContain('line 3 is not a JSON object: [2]')
})

test('an array that is cut off is refused, however much of it has been loaded, and nothing is changed', async () => {
  await load('[{"id":1}]')
  const long = JSON.stringify(Array.from({ length: 200_000 }, (_, id) => ({ id, b: 'some text' })))
  expect((await load(long)).statistics.rows_written).toBe(200_000)
  for (const content of ['[', '[{"id":2},{"id":3}', long.slice(0, -1), long.slice(0, -20)])
    expect(await load(content, { mode: 'replace' })).toMatchObject({
      status: 'failed',
      error: { code: 'content_unreadable', message: expect.stringContaining('The JSON array has no end') },
    })
  expect(await scene.rows(`SELECT count() AS rows FROM ${name}`)).toEqual([{ rows: '200001' }])
})

test('an empty array has no rows', async () => {
  expect(await load('[]')).toMatchObject({ status: 'completed', statistics: { rows_written: 0, invalid_lines: 0 } })
  expect(await load('[ ]\n', { mode: 'replace' })).toMatchObject({ status: 'failed' })
})

test('a file with another extension is recognized as JSON', async () => {
  const url = scene.give('/download', JSON.stringify(ROWS))
  expect(await scene.import({ datasource: name, url })).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('say format: ndjson') },
  })
  expect(await scene.import({ datasource: name, url, format: 'ndjson' })).toMatchObject({ status: 'completed' })
})
