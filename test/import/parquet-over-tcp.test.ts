import { afterAll, expect, test } from 'vitest'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { INT64, INT96, int64, parquetOf } from './parquet-footer.ts'
import { openImportScene } from './scene.ts'
import { little, RING, useGeoparquet } from './use-geoparquet.ts'

// Parquet sent to an engine that cannot open files of this machine, like a ClickHouse server, with content that it could not read unchanged.

let engine: TcpEngine | undefined
// Hooks run from the last to the first at the end.
afterAll(() => engine?.close())

const { parquet, ofBytes, quarantined, written } = useGeoparquet(async () => {
  engine = await startTcpEngine()
  return openImportScene({ 'clickhouse-url': engine.url })
})
test('damaged geometries make only their rows invalid', async () => {
  const whole = little.polygon([RING, RING])
  const file = await ofBytes([whole, whole.subarray(0, -1), null, little.point([1, 2]), little.polygon([RING, []])])
  await parquet.dataSource(parquet.name, { id: 'Int32', g: 'Geometry' })
  expect(await parquet.load(file)).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 2 } })
  expect(await quarantined()).toMatchObject([
    { id: '1', g: whole.subarray(0, -1).toString('hex').toUpperCase(), why: 'it is damaged, or no WKB' },
    { id: '2', g: null, why: 'it is missing' },
  ])
})

test('the native geometry type of Parquet is read', async () => {
  const file = await written(['POINT(1 2)', null, 'LINESTRING(0 0,1 1)'], ", GEOPARQUET_VERSION 'NONE'")
  expect(await parquet.load(file, { create: true })).toMatchObject({
    statistics: { rows_written: 2, quarantine_rows: 1 },
  })
  expect(await parquet.table(parquet.name, 'id')).toEqual([
    ['0', '[1,2]'],
    ['2', '[[0,0],[1,1]]'],
  ])
})

test('times without a date are read, in lists too, and dates out of range make only their rows invalid', async () => {
  const row = (id: number, date: string) => `SELECT ${id} AS id, [TIME '24:00:00', NULL] AS list, DATE '${date}' AS day`
  const file = await parquet.fromDuckdb(`${row(0, '2020-01-01')} UNION ALL ${row(1, '1850-01-01')}`)
  expect(await parquet.load(file, { create: true })).toMatchObject({
    statistics: { rows_written: 1, quarantine_rows: 1 },
  })
  expect(await parquet.table(parquet.name)).toEqual([['0', '["24:00:00.000000",null]', '2020-01-01']])
})

test('over-wide decimals, and INT96 times out of range, are read', async () => {
  const decimals = { type: INT64, convertedType: 5, scale: 2, precision: 5, rows: 2n, name: 'v' }
  const wide = parquetOf({ ...decimals, values: [int64(125n), int64(-5n)] })
  expect(await parquet.load(wide, { create: true })).toMatchObject({ statistics: { rows_written: 2 } })
  expect(await parquet.value(`SELECT arraySort(groupArray(toString(v))) FROM ${parquet.name}`)).toBe('-0.05,1.25')
  const at = (day: number): Buffer => Buffer.concat([int64(0n), Buffer.from(new Int32Array([day]).buffer)])
  const times = parquetOf({ type: INT96, values: [at(2_440_588), at(1_721_426), null], rows: 3n, name: 'v' })
  await parquet.dataSource(parquet.renew(), { v: 'Nullable(DateTime64(6))' })
  expect(await parquet.load(times)).toMatchObject({ statistics: { rows_written: 3, quarantine_rows: 0 } })
  expect(await parquet.table(parquet.name)).toEqual([
    ['0001-01-01 00:00:00.000000'],
    ['1970-01-01 00:00:00.000000'],
    [null],
  ])
})
