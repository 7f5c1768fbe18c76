import { expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

test('Parquet with structs creates a data source, even with structs in lists, maps and structs', async () => {
  const content = await parquet.fromDuckdb(
    `SELECT 1::BIGINT AS id, {'city': 'Bonn', 'zip': 53111} AS home,
      [{'area': 12, 'name': 'a'}, {'area': 30, 'name': NULL}] AS rooms,
      MAP {'x': {'n': 1, 'deep': [{'a': 2, 'b': {'c': 3}}]}} AS by_name
    UNION ALL SELECT 2, {'city': 'Köln', 'zip': NULL}, [], MAP {}`,
  )
  const url = parquet.give('/structs.parquet', content)
  const { body: inferred } = await parquet.call('POST', '/v1/datasources/infer', { url, format: 'parquet' })
  expect(inferred.schema?.map(({ name }: { name: string }) => name)).toEqual(['id', 'home', 'rooms', 'by_name'])
  for (const { type } of inferred.schema) expect(type).not.toContain('\n')
  const job = await parquet.import({ datasource: 'houses', url, format: 'parquet', create: true })
  expect(job.error).toBeNull()
  expect(job).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 0 } })
  const sql = `SELECT id, tupleElement(home, 'city') AS city, arrayMap(r -> tupleElement(r, 'area'), rooms) AS areas,
    toJSONString(mapValues(by_name)) AS named FROM houses ORDER BY id`
  expect(await parquet.rows(sql)).toEqual([
    { id: '1', city: 'Bonn', areas: [12, 30], named: '[{"n":1,"deep":[{"a":2,"b":{"c":3}}]}]' },
    { id: '2', city: 'Köln', areas: [], named: '[]' },
  ])
  const again = await parquet.import({ datasource: 'houses', url, format: 'parquet' })
  expect(again).toMatchObject({ status: 'completed', statistics: { rows_written: 2, row_count: 4 } })
})

test('fields are found by name, whatever characters it has', async () => {
  const names = [
    'a.b',
    'a b',
    'a"b',
    'a`b',
    "a'b",
    'a\\b',
    'a\tb',
    'a\nb',
    'ünï',
    'Date32',
    'size0',
    '1',
    'a(b,c)',
    '😀',
  ]
  for (const name of names) {
    const quoted = `"${name.replaceAll('"', '""')}"`
    const content = await parquet.fromDuckdb(`SELECT struct_pack(${quoted} := 5, z := TIME '10:20:30') AS pair`)
    expect(await parquet.load(content, { create: true })).toMatchObject({ statistics: { rows_written: 1 } })
    expect.soft(await parquet.table(parquet.name)).toEqual([[JSON.stringify({ [name]: 5, z: '10:20:30.000000' })]])
    parquet.renew()
  }
})

test('structs that are NULL are accepted', async () => {
  const content = await parquet.fromDuckdb(
    `SELECT 1 AS id, {'city': 'Bonn'} AS home UNION ALL SELECT 2, NULL ORDER BY id`,
  )
  const job = await parquet.load(content, { create: true })
  expect(job.error).toBeNull()
  expect(job).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 0 } })
})

test('a materialized node may return a named tuple', async () => {
  await parquet.dataSource('points', { a: 'Int32', b: 'String' })
  await parquet.pipe('pairs', [
    {
      name: 'pair',
      sql: "SELECT CAST((a, b), 'Tuple(a Int32, b String)') AS p, [CAST((a, b), 'Tuple(x Int32, y String)')] AS l FROM points",
      role: materialized('pairs_of'),
    },
  ])
  const job = await parquet.run({ query: "SELECT 1 AS a, 'x' AS b", datasource: 'points' })
  expect(job.error).toBeNull()
  expect(await parquet.value("SELECT (p.a, p.b, l[1].y) = (1, 'x', 'x') FROM pairs_of")).toBe('1')
})

test('an invalid type is refused with the column', async () => {
  const columns = [
    { name: 'a', type: 'Int32' },
    { name: 'b c', type: 'Int32 --' },
  ]
  const { status, body } = await parquet.call('POST', '/v1/datasources', { name: 'odd', schema: columns })
  expect([status, body.errors]).toEqual([
    422,
    [{ path: 'schema.1.type', message: expect.stringContaining('the type of "b c" must be a type') }],
  ])
})
