import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Table, tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResultFormat } from '../../src/model/job.ts'
import { startTestServer, type TestServer } from '../server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

const LARGE_INTEGER = '9007199254740993'
const SQL = `SELECT number AS id, concat('row ', toString(number)) AS name, number / 2 AS half,
  toUInt64(${LARGE_INTEGER}) AS large, toDate('2026-11-22') AS day, if(number = 1, NULL, number) AS maybe
  FROM numbers(1000) ORDER BY id`

/** Runs the query, downloads its result and returns the path of the file as well. */
const download = async (format: ResultFormat) => {
  const job = await server.run({ query: SQL, format })
  expect(job).toMatchObject({ status: 'completed', result: { format }, statistics: { row_count: 1000 } })
  const response = await fetch(job.result.url, { headers: { authorization: `Bearer ${server.token}` } })
  const bytes = Buffer.from(await response.arrayBuffer())
  expect(bytes.length).toBe(job.result.bytes)
  const path = join(server.dataDir, `result.${format}`)
  writeFileSync(path, bytes)
  return { bytes, path, type: response.headers.get('content-type') }
}

const checkArrow = (table: Table): void => {
  expect(table.numRows).toBe(1000)
  expect(table.schema.fields.map(field => field.name)).toEqual(['id', 'name', 'half', 'large', 'day', 'maybe'])
  const last = table.get(999)!.toJSON()
  expect(last).toMatchObject({ id: 999n, half: 499.5, large: BigInt(LARGE_INTEGER), maybe: 999n })
  expect(String(last.name)).toBe('row 999')
  expect(table.get(1)!.toJSON().maybe).toBeNull()
}

const askDuckdb = async (from: string) => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const answer = await connection.runAndReadAll(
    `SELECT count(*)::INT AS rows, max(name) AS name, sum(half) AS halves, count(maybe)::INT AS there FROM ${from}`,
  )
  connection.closeSync()
  return answer.getRowObjectsJson()[0]
}

const countParquet = async (bytes: Buffer): Promise<number> => {
  const path = join(server.dataDir, 'empty.parquet')
  writeFileSync(path, bytes)
  return (await askDuckdb(`(SELECT '' AS name, 0 AS half, 0 AS maybe FROM read_parquet('${path}'))`))!.rows as number
}

const OF_DUCKDB = { rows: 1000, name: 'row 999', halves: 249750, there: 999 }

describe('a result', () => {
  test('in Arrow is a file that apache-arrow can read', async () => {
    const { bytes, type } = await download('arrow')
    expect(type).toBe('application/vnd.apache.arrow.file')
    expect(bytes.subarray(0, 6).toString()).toBe('ARROW1')
    checkArrow(tableFromIPC(bytes))
  })

  test('is Arrow if no format is given', async () => {
    expect((await server.run({ query: 'SELECT 1' })).result.format).toBe('arrow')
  })

  test('as an Arrow stream can be read by apache-arrow', async () => {
    const { bytes, type } = await download('arrow_stream')
    expect(type).toBe('application/vnd.apache.arrow.stream')
    checkArrow(tableFromIPC(bytes))
  })

  test('in Parquet can be read by DuckDB', async () => {
    const { path, type } = await download('parquet')
    expect(type).toBe('application/vnd.apache.parquet')
    expect(await askDuckdb(`read_parquet('${path}')`)).toEqual(OF_DUCKDB)
  })

  test('in CSV begins with the names and can be read by DuckDB', async () => {
    const { bytes, path, type } = await download('csv')
    expect(type).toContain('text/csv')
    expect(bytes.toString().split('\n')[0]).toBe('"id","name","half","large","day","maybe"')
    expect(await askDuckdb(`read_csv('${path}', nullstr='\\N')`)).toEqual(OF_DUCKDB)
  })

  test('in NDJSON has an object per line, with large integers as strings', async () => {
    const { bytes, path } = await download('ndjson')
    const rows = bytes.toString().trimEnd().split('\n')
    expect(rows).toHaveLength(1000)
    expect(JSON.parse(rows[999]!)).toEqual({ ...LAST, maybe: '999' })
    expect(await askDuckdb(`read_json('${path}')`)).toEqual(OF_DUCKDB)
  })

  test('in JSON is one array of objects, with large integers as strings', async () => {
    const rows = JSON.parse((await download('json')).bytes.toString())
    expect(rows).toHaveLength(1000)
    expect(rows[999]).toEqual({ ...LAST, maybe: '999' })
    expect(rows[1].maybe).toBeNull()
  })

  test.each(['json', 'ndjson', 'ndjson_exact', 'csv', 'arrow', 'arrow_stream', 'parquet'] as const)(
    'without rows is still a valid %s',
    async format => {
      const job = await server.run({ query: 'SELECT number FROM numbers(10) WHERE number > 10', format })
      expect(job).toMatchObject({ status: 'completed', statistics: { row_count: 0 } })
      const response = await fetch(job.result.url, { headers: { authorization: `Bearer ${server.token}` } })
      const bytes = Buffer.from(await response.arrayBuffer())
      if (format === 'json') expect(JSON.parse(bytes.toString())).toEqual([])
      if (format.startsWith('ndjson')) expect(bytes.toString()).toBe('')
      if (format === 'csv') expect(bytes.toString()).toBe('"number"\n')
      if (format === 'parquet') expect(await countParquet(bytes)).toBe(0)
      if (format.startsWith('arrow')) expect(tableFromIPC(bytes).numRows).toBe(0)
    },
  )
})

const LAST = { id: '999', name: 'row 999', half: 499.5, large: LARGE_INTEGER, day: '2026-11-22' }

/** The answer to SQL whose result is not stored. */
const answer = async (query: string, format: ResultFormat) => {
  const response = await fetch(`${server.url}/v1/sql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, format }),
  })
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

test.each(['arrow', 'arrow_stream', 'parquet'] as const)(
  'in %s refuses states of aggregate functions at any depth instead of writing their bytes',
  async format => {
    for (const column of ['sumState(number)', '[sumState(number)]', "map('a', (1, sumState(number)))"]) {
      const { status, bytes } = await answer(`SELECT ${column} AS x FROM numbers(3)`, format)
      expect([status, JSON.parse(bytes.toString()).detail]).toEqual([422, expect.stringContaining('The column x')])
      const twice = await answer(`SELECT ${column} AS x, 1, 1 FROM numbers(3)`, format)
      expect(twice.status).toBe(422)
    }
  },
)

test('NULL in a Variant column is null, and intervals are numbers', async () => {
  const query = `SELECT CAST(NULL, 'Variant(String, UInt8)') AS v, [CAST(NULL, 'Dynamic'), CAST('a', 'Dynamic')] AS d,
    INTERVAL 2 DAY AS i, [CAST(NULL, 'Nullable(IntervalHour)')] AS l`
  const { bytes } = await answer(query, 'arrow')
  const row = tableFromIPC(bytes).get(0)!.toJSON()
  expect([row.v, [...row.d], row.i, [...row.l]]).toEqual([null, [null, 'a'], 2n, [null]])
  const path = join(server.dataDir, 'nulls.parquet')
  writeFileSync(path, (await answer(query, 'parquet')).bytes)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const read = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`)
  connection.closeSync()
  expect(read.getRowsJson()).toEqual([[null, [null, 'a'], '2', [null]]])
})

test('DuckDB finds the bytes of a FixedString in Parquet by value', async () => {
  const values = ['a\\x00\\x00', '\\x00\\x00\\x00', 'zzz', '\\xFF\\xFE\\xFD'].map(value => `'${value}'`)
  const { bytes } = await answer(`SELECT arrayJoin([${values.join(', ')}])::FixedString(3) AS x`, 'parquet')
  const path = join(server.dataDir, 'fixed.parquet')
  writeFileSync(path, bytes)
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const found = await Promise.all(
    values.map(async value => {
      const sql = `SELECT count(*)::INT FROM read_parquet('${path}') WHERE x = ${value.replace('a', '\\x61').replace('zzz', '\\x7A\\x7A\\x7A')}::BLOB`
      return (await connection.runAndReadAll(sql)).getRowsJson()[0]![0]
    }),
  )
  connection.closeSync()
  expect(found).toEqual([1, 1, 1, 1])
})
