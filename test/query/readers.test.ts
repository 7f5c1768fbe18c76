import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResultFormat } from '../../src/model/job.ts'
import { ROWS_SQL } from '../readers/rows.ts'
import { startTestServer, type TestServer } from '../server.ts'

const READERS = resolve(import.meta.dirname, '../readers')
const call = promisify(execFile)

/** The `python3` of Debian's package is not always the first one. */
const python = ['python3', '/usr/bin/python3'].find(
  name => spawnSync(name, ['-c', 'import pandas'], { stdio: 'ignore' }).status === 0,
)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

/** The path of a result with the rows of `rows.ts`, or others. */
const download = async (format: ResultFormat, query = ROWS_SQL): Promise<string> => {
  const job = await server.run({ query, format })
  expect(job).toMatchObject({ status: 'completed', statistics: { row_count: 2 } })
  const response = await fetch(job.result.url, { headers: { authorization: `Bearer ${server.token}` } })
  const path = join(server.dataDir, `rows.${format}`)
  writeFileSync(path, Buffer.from(await response.arrayBuffer()))
  return path
}

type Column = { readonly type: string; readonly values: readonly (string | null)[] }
type Report = Readonly<Record<string, Column>>

const readWith = async (program: string, script: string, format: ResultFormat, query?: string): Promise<Report> => {
  const path = await download(format, query)
  const { stdout } = await call(program, [join(READERS, script), format, path], { cwd: READERS })
  return JSON.parse(stdout) as Report
}

const readWithPolars = (format: ResultFormat, query?: string) =>
  readWith(process.execPath, 'read-with-polars.ts', format, query)
const readWithPandas = (format: ResultFormat) => readWith(python!, 'read-with-pandas.py', format)

const valuesOf = (report: Report) =>
  Object.fromEntries(Object.entries(report).map(([name, { values }]) => [name, values]))
const typesOf = (report: Report) => Object.fromEntries(Object.entries(report).map(([name, { type }]) => [name, type]))

/** Of columns that every reader of every format shows alike. */
const COMMON = {
  row: ['1', '2'],
  large: ['18446744073709551615', '0'],
  signed: ['-9223372036854775808', '7'],
  price: ['12345678901234.56', '-0.01'],
  text: ['Grüße, "Łódź" 🚂', ''],
  list: ['[1,2,3]', '[]'],
  word: ['one', 'two'],
  id: ['61f0c404-5cb3-11e7-907b-a6006ad3dba0', '00000000-0000-0000-0000-000000000000'],
  state: ['open', 'shut'],
  address: ['192.0.2.1', '0.0.0.0'],
  huge: ['-170141183460469231731687303715884105728', '1'],
}

describe('polars', () => {
  const IN_POLARS = { ...COMMON, day: ['2026-11-22', '1970-01-01'], maybe: [null, '42'], flag: ['true', 'false'] }

  test.each(['arrow', 'arrow_stream', 'parquet'] as const)('reads every type from %s', async format => {
    const report = await readWithPolars(format)
    const zone = format === 'parquet' ? 'UTC' : 'Europe/Berlin'
    expect(typesOf(report)).toMatchObject({
      large: 'UInt64',
      signed: 'Int64',
      ratio: 'Float64',
      price: 'Decimal(18,2)',
      text: 'String',
      day: 'Date',
      moment: 'Datetime(ms,UTC)',
      local: `Datetime(ms,${zone})`,
      maybe: 'Int32',
      word: 'String',
      flag: 'Bool',
    })
    expect(valuesOf(report)).toEqual({
      ...IN_POLARS,
      ratio: ['NaN', '0.5'],
      moment: ['2026-11-22 01:02:03.000+00:00', '1970-01-01 00:00:00.000+00:00'],
      local:
        zone === 'UTC'
          ? ['2026-07-21 23:02:03.456+00:00', '1970-01-01 00:00:00.000+00:00']
          : ['2026-07-22 01:02:03.456+02:00', '1970-01-01 01:00:00.000+01:00'],
    })
  })

  test.each(['arrow', 'arrow_stream', 'parquet'] as const)('reads what %s has no type for', async format => {
    const sql = `SELECT arrayJoin(['100:34:56', '-00:00:01'])::Time AS time, '12:34:56.789'::Time64(3) AS fine, INTERVAL 5 SECOND AS wait,
      toIntervalNanosecond(7) AS tick, (1.5, 2.5)::Point::Geometry AS place, [1, 2, 3, 4, 5, 6, 7, 8]::QBit(BFloat16, 8) AS vector`
    expect(valuesOf(await readWithPolars(format, sql))).toEqual({
      time: ['100:34:56', '-00:00:01'],
      fine: ['12:34:56.789', '12:34:56.789'],
      wait: ['5', '5'],
      tick: ['7', '7'],
      place: ['(1.5,2.5)', '(1.5,2.5)'],
      vector: ['[1,2,3,4,5,6,7,8]', '[1,2,3,4,5,6,7,8]'],
    })
  })

  test('reads CSV', async () => {
    const report = await readWithPolars('csv')
    expect(typesOf(report)).toMatchObject({ signed: 'Int64', price: 'Float64', day: 'Date', flag: 'Bool' })
    expect(valuesOf(report)).toEqual({
      ...IN_POLARS,
      ratio: ['NaN', '0.5'],
      moment: ['2026-11-22 01:02:03.000000', '1970-01-01 00:00:00.000000'],
      local: ['2026-07-22 01:02:03.456000', '1970-01-01 01:00:00.000000'],
    })
  })

  test.each(['ndjson', 'json'] as const)('reads %s', async format => {
    expect(valuesOf(await readWithPolars(format))).toEqual({
      ...IN_POLARS,
      ratio: [null, '0.5'],
      moment: ['2026-11-22 01:02:03', '1970-01-01 00:00:00'],
      local: ['2026-07-22 01:02:03.456', '1970-01-01 01:00:00.000'],
    })
  })
})

describe.skipIf(!python)(`pandas${python ? '' : ' (needs python3-pandas)'}`, () => {
  test.each(['csv', 'ndjson', 'json'] as const)('reads %s', async format => {
    const report = await readWithPandas(format)
    expect(typesOf(report)).toMatchObject({
      row: 'int64',
      ratio: 'float64',
      moment: 'datetime64[ns]',
      flag: 'bool',
      ...(format === 'csv' && { large: 'uint64', signed: 'int64', price: 'float64' }),
    })
    expect(valuesOf(report)).toEqual({
      ...COMMON,
      ratio: [null, '0.5'],
      day: ['2026-11-22 00:00:00', '1970-01-01 00:00:00'],
      moment: ['2026-11-22 01:02:03', '1970-01-01 00:00:00'],
      local: ['2026-07-22 01:02:03.456000', '1970-01-01 01:00:00'],
      maybe: [null, '42.0'],
      flag: ['True', 'False'],
    })
  })
})

describe('Arrow in C++', () => {
  const SQL = `SELECT row, ratio, text, day, moment, local, maybe, word, flag, id, state, address, huge FROM (${ROWS_SQL})`

  test.each(['arrow', 'arrow_stream'] as const)('reads every type that its program shows from %s', async format => {
    const report = await readWith(process.execPath, 'read-with-arrow-cpp.ts', format, SQL)
    expect(typesOf(report)).toMatchObject({
      row: 'integer',
      ratio: 'float',
      text: 'string',
      day: 'date',
      moment: 'datetime',
      maybe: 'integer',
      flag: 'boolean',
    })
    const { row, text, word, id, state, address, huge } = COMMON
    expect(valuesOf(report)).toEqual({
      ...{ row, text, word, id, state, address, huge },
      ratio: [null, '0.5'],
      day: [String(Date.UTC(2026, 10, 22)), '0'],
      moment: [String(Date.UTC(2026, 10, 22, 1, 2, 3)), '0'],
      local: [String(Date.UTC(2026, 6, 21, 23, 2, 3, 456)), '0'],
      maybe: [null, '42'],
      flag: ['true', 'false'],
    })
  })
})

describe('apache-arrow', () => {
  test.each(['arrow', 'arrow_stream'] as const)('reads every type from %s', async format => {
    const table = tableFromIPC(readFileSync(await download(format)))
    const types = Object.fromEntries(table.schema.fields.map(({ name, type }) => [name, String(type)]))
    expect(types).toMatchObject({
      large: 'Uint64',
      price: 'Decimal[18e+2]',
      moment: 'Timestamp<SECOND, UTC>',
      local: 'Timestamp<MILLISECOND, Europe/Berlin>',
      list: 'List<Int32>',
      word: 'Utf8',
      id: 'Utf8',
      state: 'Utf8',
    })
    expect(table.get(0)!.toJSON()).toMatchObject({
      large: 2n ** 64n - 1n,
      signed: -(2n ** 63n),
      ratio: Number.NaN,
      text: COMMON.text[0],
      day: Date.UTC(2026, 10, 22),
      moment: Date.UTC(2026, 10, 22, 1, 2, 3),
      local: Date.UTC(2026, 6, 21, 23, 2, 3, 456),
      maybe: null,
      flag: true,
      ...{ word: 'one', id: COMMON.id[0], state: 'open', address: '192.0.2.1', huge: COMMON.huge[0] },
    })
    expect([...table.get(0)!.toJSON().list]).toEqual([1, 2, 3])
  })
})

test('reads a repeated SELECT with its current columns after the table was recreated', async () => {
  const table = '/v1/datasources/anew'
  const typeWith = async (type: string): Promise<string> => {
    await server.call('POST', '/v1/datasources', { name: 'anew', schema: [{ name: 'at', type }] })
    const { result } = await server.run({ query: 'SELECT at FROM anew', format: 'arrow' })
    const response = await fetch(result.url, { headers: { authorization: `Bearer ${server.token}` } })
    await server.call('DELETE', table)
    return String(tableFromIPC(Buffer.from(await response.arrayBuffer())).schema.fields[0]!.type)
  }
  expect(await typeWith('UInt32')).toBe('Uint32')
  expect(await typeWith('DateTime')).toBe('Timestamp<SECOND, UTC>')
})

describe('DuckDB', () => {
  const read = async (from: string) => {
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(`SET TimeZone = 'UTC'`)
    const answer = await connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM ${from}`)
    connection.closeSync()
    const [first, second] = answer.getRowObjectsJson()
    return Object.fromEntries(Object.keys(first!).map(name => [name, [first![name], second![name]]]))
  }
  const IN_DUCKDB = { ...COMMON, list: ['[1, 2, 3]', '[]'], maybe: [null, '42'], flag: ['true', 'false'] }

  test('reads every type from Parquet', async () => {
    expect(await read(`read_parquet('${await download('parquet')}')`)).toMatchObject({
      ...IN_DUCKDB,
      ratio: ['nan', '0.5'],
      day: ['2026-11-22', '1970-01-01'],
      moment: ['2026-11-22 01:02:03+00', '1970-01-01 00:00:00+00'],
      local: ['2026-07-21 23:02:03.456+00', '1970-01-01 00:00:00+00'],
    })
  })

  test('reads CSV', async () => {
    const from = `read_csv('${await download('csv')}', nullstr='\\N', types={'large': 'UBIGINT', 'huge': 'HUGEINT', 'price': 'DECIMAL(18,2)'})`
    expect(await read(from)).toMatchObject({ ...IN_DUCKDB, list: ['[1,2,3]', '[]'], ratio: ['nan', '0.5'] })
  })

  test.each(['ndjson', 'json'] as const)('reads %s', async format => {
    expect(await read(`read_json('${await download(format)}')`)).toMatchObject({ ...IN_DUCKDB, ratio: [null, '0.5'] })
  })
})
