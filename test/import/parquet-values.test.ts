import { expect, test } from 'vitest'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

test('lists, maps and tuples are written to columns of other types than in the file', async () => {
  await parquet.dataSource(parquet.name, {
    pair: 'Tuple(Int64, String)',
    numbers: 'Array(Float32)',
    map: 'Map(Int64, LowCardinality(String))',
    texts: 'Array(Nullable(String))',
    small: 'Array(UInt8)',
    point: 'Point',
  })
  const select = (
    small: string,
  ) => `SELECT (toUInt8(1), 'a/b') AS pair, [1.5, nan] AS numbers, map(toInt32(1), 'x/y') AS map,
    ['a/b'] AS texts, [toInt64(${small})] AS small, [1.5, 2.5] AS point`
  expect(await parquet.load(await parquet.fromEngine(select('255')))).toMatchObject({
    statistics: { rows_written: 1, quarantine_rows: 0 },
  })
  expect(await parquet.load(await parquet.fromEngine(select('256')))).toMatchObject({
    statistics: { rows_written: 0, quarantine_rows: 1 },
  })
  expect(await parquet.table(parquet.name)).toEqual([
    ['["1","a/b"]', '[1.5,null]', '{"1":"x/y"}', '["a/b"]', '[255]', '[1.5,2.5]'],
  ])
})

test('JSON in Parquet is read as its text', async () => {
  const texts = ['{"a": 1.10, "b": null}', '[1, 2]', 'null', '123456789012345678901234567890', null]
  const values = texts.map((text, id) => `(${id}, ${text === null ? 'NULL' : `'${text}'`}::JSON)`)
  const file = await parquet.fromDuckdb(`SELECT id, value FROM (VALUES ${values.join(', ')}) AS rows(id, value)`)
  expect(await parquet.load(file, { create: true })).toMatchObject({
    statistics: { rows_written: 5, quarantine_rows: 0 },
  })
  expect(await parquet.table(parquet.name, 'id')).toEqual(texts.map((text, id) => [`${id}`, text]))
  parquet.renew()
  await parquet.dataSource(parquet.name, { id: 'Int32', value: 'JSON' })
  expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 4 } })
})

test('text and times in lists, maps and structs are checked', async () => {
  const [bytes, time] = ["'\\xFF'::BLOB", "'infinity'::TIMESTAMP"]
  const row = (id: number, text: string, key: string, at: string) =>
    `SELECT ${id} AS id, [${text}, NULL] AS list, MAP {${key}: [${text}]} AS map, {'a': [{'at': ${at}}], 'b': 1} AS struct`
  const fine = ["'\\xC3\\xB6'::BLOB", "'k'::BLOB", "'2020-01-01'::TIMESTAMP"] as const
  const rows = [
    row(0, ...fine),
    row(1, bytes!, fine[1], fine[2]),
    row(2, fine[0], bytes!, fine[2]),
    row(3, fine[0], fine[1], time!),
  ]
  const file = await parquet.fromDuckdb(rows.join(' UNION ALL '))
  const judged = async () => {
    expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 3 } })
    return parquet.rows(`SELECT id, c__error_column AS columns FROM ${parquet.name}_quarantine ORDER BY id`)
  }
  const expected = [
    { id: '1', columns: ['list', 'map'] },
    { id: '2', columns: ['map'] },
    { id: '3', columns: ['struct'] },
  ]
  await parquet.dataSource(parquet.name, {
    id: 'Int32',
    list: 'Array(Nullable(String))',
    map: 'Map(String, Array(Nullable(String)))',
    struct: "Tuple(a Array(Tuple(at Nullable(DateTime64(6, 'UTC')))), b Nullable(Int32))",
  })
  expect(await judged()).toEqual(expected)
  parquet.renew()
  await parquet.dataSource(parquet.name, {
    id: 'Int64',
    list: 'Array(LowCardinality(Nullable(String)))',
    map: 'Map(LowCardinality(String), Array(String))',
    struct: 'Tuple(a Array(Tuple(at DateTime)), b Int8)',
  })
  expect(await judged()).toEqual(expected)
})
