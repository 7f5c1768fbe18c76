import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { materialized } from '../data/scene.ts'
import { type ImportScene, openImportScene } from './scene.ts'

let scene: ImportScene
let folder: string
beforeAll(async () => {
  scene = await openImportScene()
  folder = await mkdtemp(join(tmpdir(), 'millrace-structs-'))
})
afterAll(async () => {
  await scene?.stop()
  await rm(folder, { recursive: true })
})

/** A file of Parquet as DuckDB writes it, and where it is. */
const give = async (name: string, select: string): Promise<string> => {
  const connection = await (await DuckDBInstance.create()).connect()
  const path = join(folder, `${name}.parquet`)
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  return scene.give(`/${name}.parquet`, await readFile(path))
}

test('Parquet with structs makes a data source, in lists and maps and structs of their own too', async () => {
  const url = await give(
    'structs',
    `SELECT 1::BIGINT AS id, {'city': 'Bonn', 'zip': 53111} AS home,
      [{'area': 12, 'name': 'a'}, {'area': 30, 'name': NULL}] AS rooms,
      MAP {'x': {'n': 1, 'deep': [{'a': 2, 'b': {'c': 3}}]}} AS by_name
    UNION ALL SELECT 2, {'city': 'Köln', 'zip': NULL}, [], MAP {}`,
  )
  const { body: inferred } = await scene.call('POST', '/v1/datasources/infer', { url, format: 'parquet' })
  expect(inferred.schema?.map(({ name }: { name: string }) => name)).toEqual(['id', 'home', 'rooms', 'by_name'])
  for (const { type } of inferred.schema) expect(type).not.toContain('\n')
  const job = await scene.import({ datasource: 'houses', url, format: 'parquet', create: true })
  expect(job.error).toBeNull()
  expect(job).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 0 } })
  const sql = `SELECT id, tupleElement(home, 'city') AS city, arrayMap(r -> tupleElement(r, 'area'), rooms) AS areas,
    toJSONString(mapValues(by_name)) AS named FROM houses ORDER BY id`
  expect(await scene.rows(sql)).toEqual([
    { id: '1', city: 'Bonn', areas: [12, 30], named: '[{"n":1,"deep":[{"a":2,"b":{"c":3}}]}]' },
    { id: '2', city: 'Köln', areas: [], named: '[]' },
  ])
  const again = await scene.import({ datasource: 'houses', url, format: 'parquet' })
  expect(again).toMatchObject({ status: 'completed', statistics: { rows_written: 2, row_count: 4 } })
})

test('structs that are null as a whole are taken', async () => {
  const url = await give('nulls', `SELECT 1 AS id, {'city': 'Bonn'} AS home UNION ALL SELECT 2, NULL ORDER BY id`)
  const job = await scene.import({ datasource: 'absent', url, format: 'parquet', create: true })
  expect(job.error).toBeNull()
  expect(job).toMatchObject({ statistics: { rows_written: 2, quarantine_rows: 0 } })
})

test('a materialized node may give a named tuple', async () => {
  await scene.dataSource('points', { a: 'Int32', b: 'String' })
  await scene.pipe('pairs', [
    {
      name: 'pair',
      sql: "SELECT CAST((a, b), 'Tuple(a Int32, b String)') AS p, [CAST((a, b), 'Tuple(x Int32, y String)')] AS l FROM points",
      role: materialized('pairs_of'),
    },
  ])
  const job = await scene.run({ query: "SELECT 1 AS a, 'x' AS b", datasource: 'points' })
  expect(job.error).toBeNull()
  expect(await scene.value("SELECT (p.a, p.b, l[1].y) = (1, 'x', 'x') FROM pairs_of")).toBe('1')
})

test('a type that is none is refused with its column', async () => {
  const columns = [
    { name: 'a', type: 'Int32' },
    { name: 'b c', type: 'Int32 --' },
  ]
  const { status, body } = await scene.call('POST', '/v1/datasources', { name: 'odd', schema: columns })
  expect([status, body.errors]).toEqual([
    422,
    [{ path: 'schema.1.type', message: expect.stringContaining('the type of "b c" must be a type') }],
  ])
})
