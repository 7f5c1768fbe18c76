import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('json', { columns: { id: 'Nullable(Int32)', b: 'Nullable(String)' } })
const { load } = scene

const ROWS = [
  { id: 1, b: 'a, "b"]' },
  { id: 2, b: '\n{[' },
  { id: null, b: '' },
]
const TABLE = ROWS.map(({ id, b }) => [id === null ? null : String(id), b])

/** The rows as objects over several lines. */
const OBJECTS = ROWS.map(row => JSON.stringify(row, null, 2))
/** The rows as ClickHouse and Tinybird write the result of a query. */
const RESULT = {
  meta: [
    { name: 'id', type: 'Nullable(Int32)' },
    { name: 'b', type: 'String' },
  ],
  data: ROWS,
  rows: ROWS.length,
  statistics: { elapsed: 0.1, rows_read: 3, bytes_read: 24 },
}

test.each([
  ['an array in one line', JSON.stringify(ROWS), {}],
  ['an indented array', `\ufeff${JSON.stringify(ROWS, null, '\t').replaceAll('\n', '\r\n')}\r\n`, {}],
  ['a compressed array', gzipSync(JSON.stringify(ROWS, null, 2)), {}],
  ['objects over several lines', OBJECTS.join('\n'), {}],
  ['objects with a byte order mark and CRLF', `\ufeff${OBJECTS.join('\n').replaceAll('\n', '\r\n')}\r\n`, {}],
  ['objects with nothing between them', OBJECTS.join(''), {}],
  ['compressed objects', gzipSync(OBJECTS.join('\n')), {}],
  ['objects in UTF-16', Buffer.from(`\ufeff${OBJECTS.join('\n')}\n`, 'utf16le'), { encoding: 'utf-16le' }],
  ['a query result in one line', JSON.stringify(RESULT), {}],
  ['an indented query result', JSON.stringify(RESULT, null, '\t'), {}],
])('the rows of JSON are read from %s', async (_, content, fields) => {
  expect(await load(content, fields)).toMatchObject({
    status: 'completed',
    statistics: {
      rows_written: 3,
      rows_read: 3,
      quarantine_rows: 0,
      invalid_lines: 0,
      bytes_read: Buffer.from(content).length,
    },
  })
  expect(new Set(await scene.table(scene.name))).toEqual(new Set(TABLE))
})

test('what a query writes as JSON can be imported', async () => {
  await load(JSON.stringify(ROWS))
  const query = `SELECT * FROM ${scene.name}`
  const job = await scene.run({ query, format: 'json' })
  const { body } = await scene.call('GET', `/v1/jobs/${job.job_id}/result`)
  expect(await load(JSON.stringify(body), { mode: 'replace' })).toMatchObject({ statistics: { rows_written: 3 } })
  expect(new Set(await scene.table(scene.name))).toEqual(new Set(TABLE))
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
      error: { code: 'content_unreadable', message: expect.stringContaining('The JSON has no end') },
    })
  expect(await scene.rows(`SELECT count() AS rows FROM ${scene.name}`)).toEqual([{ rows: '200001' }])
})

test('one object over several lines is one row', async () => {
  expect(await load(OBJECTS[0]!)).toMatchObject({ statistics: { rows_written: 1, rows_read: 1, invalid_lines: 0 } })
  expect(await scene.table(scene.name)).toEqual([TABLE[0]])
})

test('an object over several lines that is wrong costs no other', async () => {
  const job = await load('{\n  "id": 1\n}\n{\n  "id": "x"\n}\n{\n  "id": 3,\n}\nfour\n{\n  "id": 5\n}\n{"id": 6}\n')
  expect(job).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 1, invalid_lines: 2 } })
  expect((await scene.table(scene.name)).map(([id]) => id)).toEqual(['1', '5', '6'])
  expect(await scene.log(job.job_id)).toContain('line 4 is not JSON: four')
})

test('objects over several lines that are cut off are refused, and nothing is changed', async () => {
  await load('[{"id":1}]')
  for (const content of ['{', '{\n  "id": 2\n', `${OBJECTS.join('\n')}\n{\n`, '{\n  "id": 2\n}\n{\n  "b": "\n}\n'])
    expect(await load(content, { mode: 'replace' })).toMatchObject({
      status: 'failed',
      error: { code: 'content_unreadable', message: expect.stringContaining('The JSON has no end') },
    })
  expect(await scene.table(scene.name)).toEqual([['1', null]])
})

test('NDJSON whose first line is broken stays NDJSON', async () => {
  const job = await load('{"id":1,\n{"id":2}\n"b":"z"}\n{"id":3}\n')
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2, invalid_lines: 2 } })
})

test('the result of a query that failed is refused', async () => {
  const content = JSON.stringify({ ...RESULT, exception: 'Code: 395. DB::Exception: no' })
  expect(await load(content)).toMatchObject({
    status: 'failed',
    error: { code: 'content_unreadable', message: expect.stringContaining('Code: 395') },
  })
})

test('an empty array has no rows', async () => {
  expect(await load('[]')).toMatchObject({ status: 'completed', statistics: { rows_written: 0, invalid_lines: 0 } })
  expect(await load('[ ]\n', { mode: 'replace' })).toMatchObject({ status: 'failed' })
})

test('a file with another extension is recognized as JSON', async () => {
  for (const content of [JSON.stringify(ROWS), OBJECTS.join('\n'), JSON.stringify(RESULT)]) {
    const url = scene.give('/download', content)
    expect(await scene.import({ datasource: scene.name, url })).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('say format: ndjson') },
    })
    expect(await scene.import({ datasource: scene.name, url, format: 'ndjson' })).toMatchObject({ status: 'completed' })
  }
})
