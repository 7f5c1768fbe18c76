import { expect, test } from 'vitest'
import { useParquet } from './parquet-scene.ts'

const parquet = useParquet()

/** Dates before 1900 and after 2299, which the engine does not support, wherever one may be; written by DuckDB. */
const dated = (): Promise<Buffer> => {
  const on = (row: number, date: string) => `CASE WHEN id = ${row} THEN DATE '${date}' ELSE DATE '2020-01-01' END`
  return parquet.fromDuckdb(`
    SELECT id::UBIGINT AS id, ${on(1, '1850-03-01')} + CASE WHEN id = 1 THEN 0 ELSE id::INT END AS day, [${on(3, '1899-12-31')}] AS list,
      {'x': 1, 'day of': ${on(4, '2300-01-01')}} AS pair, MAP {'k': ${on(5, '0001-01-01')}} AS map
    FROM range(7) AS rows(id)`)
}

const TYPES = {
  id: 'UInt64',
  day: 'Date32',
  list: 'Array(Date32)',
  pair: 'Tuple(x Int8, `day of` Date32)',
  map: 'Map(String, Date32)',
}

test('Parquet dates out of range make only their rows invalid', async () => {
  await parquet.dataSource(parquet.name, TYPES)
  const job = await parquet.load(await dated())
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 3, quarantine_rows: 4, rows_read: 7 } })
  const first = '{"x":1,"day of":"2020-01-01"}'
  expect(await parquet.table(parquet.name, 'id')).toEqual([
    ['0', '2020-01-01', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
    ['2', '2020-01-03', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
    ['6', '2020-01-07', '["2020-01-01"]', first, '{"k":"2020-01-01"}'],
  ])
  expect(
    await parquet.rows(
      `SELECT id, day, list, pair, map, c__error_column[1] AS wrong FROM ${parquet.name}_quarantine ORDER BY id`,
    ),
  ).toEqual([
    expect.objectContaining({ id: '1', day: '1850-03-01', wrong: 'day' }),
    expect.objectContaining({ id: '3', list: '["1899-12-31"]', wrong: 'list' }),
    expect.objectContaining({ id: '4', pair: '{"x":1,"day of":"2300-01-01"}', wrong: 'pair' }),
    expect.objectContaining({ id: '5', map: '{"k":"0001-01-01"}', wrong: 'map' }),
  ])
})

test('Parquet dates out of range are accepted as text, and date types check their own range', async () => {
  await parquet.dataSource(parquet.name, {
    ...TYPES,
    day: 'String',
    list: 'Array(String)',
    pair: 'String',
    map: 'Map(String, Nullable(String))',
  })
  expect(await parquet.load(await dated())).toMatchObject({ statistics: { rows_written: 7, quarantine_rows: 0 } })
  expect((await parquet.table(parquet.name, 'id'))[1]![1]).toBe('1850-03-01')
})

test('dates out of range create a data source, and are shown in the inferred first rows', async () => {
  const file = await dated()
  const url = parquet.give(`/${parquet.name}.parquet`, file)
  const { status, body } = await parquet.call('POST', '/v1/datasources/infer', { url })
  expect(status, JSON.stringify(body)).toBe(200)
  expect(body.rows[1]).toMatchObject({
    day: '1850-03-01',
    list: ['2020-01-01'],
    pair: { x: 1, 'day of': '2020-01-01' },
  })
  expect(body.rows[5]).toMatchObject({ map: { k: '0001-01-01' } })
  expect(await parquet.load(file, { create: true })).toMatchObject({
    statistics: { rows_written: 3, quarantine_rows: 4 },
  })
})
