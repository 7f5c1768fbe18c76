import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

// From a path such as day=5/rows.parquet ClickHouse makes a column.

let scene: ImportScene
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-folder-'))
  const dataDir = join(folder, 'day=5')
  await mkdir(dataDir)
  scene = await openImportScene({}, dataDir)
})
afterAll(async () => {
  await scene?.stop()
  await rm(folder, { recursive: true })
})

const parquet = async (select: string): Promise<Buffer> => {
  const path = join(folder, 'rows.parquet')
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  return readFile(path)
}

const CONTENTS = {
  csv: async () => 'id,day\n1,7\n',
  ndjson: async () => '{"id":1,"day":7}\n',
  parquet: () => parquet('SELECT 1 AS id, 7 AS day'),
}

test.each(['csv', 'ndjson', 'parquet'] as const)(
  'names of the server’s folders do not become values of %s',
  async format => {
    const url = scene.give(`/rows.${format}`, await CONTENTS[format]())
    const { body } = await scene.call('POST', '/v1/datasources/infer', { url })
    expect(body.rows).toEqual([format === 'csv' ? { id: '1', day: '7' } : { id: 1, day: 7 }])
    expect(await scene.import({ datasource: format, url, create: true })).toMatchObject({ status: 'completed' })
    expect(await scene.table(format)).toEqual([['1', '7']])
  },
)

test('names of the server’s folders do not become columns of a file without them', async () => {
  const url = scene.give('/alone.parquet', await parquet('SELECT 1 AS id'))
  expect(await scene.import({ datasource: 'alone', url, create: true })).toMatchObject({ status: 'completed' })
  expect(await scene.table('alone')).toEqual([['1']])
})
