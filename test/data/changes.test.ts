import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  alterDataSource,
  createDataSource,
  dropDataSource,
  dropEmptyDataSource,
  getDataSource,
} from '../../src/data/tables/data-sources.ts'
import { findDataSource } from '../../src/model/catalogue-graph.ts'
import { type Warehouse, WarehouseError } from '../../src/warehouse/warehouse.ts'
import { anotherData } from './another-data.ts'
import { type DataScene, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
let name: string
let count = 0
beforeAll(async () => {
  scene = await openDataScene()
})
afterAll(() => scene?.stop())

const A = { name: 'a', type: 'UInt32', jsonPath: null }
const B = { name: 'b', type: 'Nullable(String)', jsonPath: null }

/** A data source with a row, and one in quarantine. */
beforeEach(async () => {
  name = `table_${++count}`
  await scene.dataSource(name, { a: 'UInt32' })
  expect(await importCsv('a\n1\nx\n')).toMatchObject({ statistics: { rows_written: 1, quarantine_rows: 1 } })
})

const importCsv = async (csv: string) => {
  const response = await fetch(`${scene.url}/v1/datasources/${name}/import?format=csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${scene.token}`, 'content-type': 'text/csv' },
    body: csv,
  })
  const { job_id } = (await response.json()) as { job_id: string }
  return (await scene.call('GET', `/v1/jobs/${job_id}?wait=60`)).body
}

const columnsOf = (table: string) =>
  scene.value(`SELECT groupArray(name) FROM system.columns WHERE database = 'live' AND table = '${table}'`)

const takesRows = async () => {
  expect(await importCsv('a,b\n2,two\ny,three\n')).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 1, quarantine_rows: 1, row_count: 2 },
  })
  expect(await scene.value(`SELECT groupArray((a, b)) FROM (SELECT * FROM ${name} ORDER BY a)`)).toBe(
    await scene.value("SELECT [(1, NULL), (2, 'two')]"),
  )
  expect(await scene.value(`SELECT count() FROM ${name}_quarantine`)).toBe('2')
}

test('columns that were being added when the server died exist after its next start', async () => {
  const catalogue = await scene.data.catalogue(WORKSPACE)
  const dataSource = { ...findDataSource(catalogue, name)!, columns: [A, B] }
  await scene.store.changeCatalogue({
    workspace: WORKSPACE,
    version: catalogue.version,
    changes: [{ type: 'put_data_source', dataSource }],
    unlessLocked: [],
  })
  expect(await columnsOf(name)).toBe('a')
  for (const start of [anotherData(scene), anotherData(scene)]) {
    await start.ready(WORKSPACE)
    expect(await columnsOf(name)).toBe('a,b')
  }
  await takesRows()
})

test.each([
  ['its table', (table: string) => table],
  ['its quarantine', (table: string) => `${table}_quarantine`],
])('columns that the engine failed to add to %s are added before anything else happens', async (_, of) => {
  const table = of(name)
  let faults = 0
  const command: Warehouse['command'] = async statement => {
    if (faults === 0 && statement.sql.startsWith(`ALTER TABLE \`live\`.\`${table}\` ADD`)) {
      faults += 1
      throw new WarehouseError('engine_lost', 'The engine is gone.')
    }
    return scene.warehouse.command(statement)
  }
  const data = anotherData(scene, { ...scene.warehouse, command })
  await expect(alterDataSource(data, WORKSPACE, name, { columns: [A, B] })).rejects.toThrow('The engine is gone.')
  expect(faults).toBe(1)
  expect((await getDataSource(data, WORKSPACE, name)).columns).toEqual([A, B])
  await data.ready(WORKSPACE)
  expect(await columnsOf(name)).toBe('a,b')
  await takesRows()
})

test('a data source that is dropped and created at once exists with its table, or does not exist', async () => {
  for (let round = 0; round < 20; round++) {
    const make = () => createDataSource(scene.data, WORKSPACE, { name, columns: [A, B] })
    const results = await Promise.allSettled([
      dropDataSource(scene.data, WORKSPACE, name),
      make(),
      make(),
      dropDataSource(anotherData(scene), WORKSPACE, name),
      make(),
    ])
    for (const result of results)
      if (result.status === 'rejected')
        expect(['data_busy', 'data_source_exists', 'not_found']).toContain(result.reason.code)
    const found = findDataSource(await scene.data.catalogue(WORKSPACE), name)
    const comments = await scene.value(
      `SELECT groupArray(comment) FROM system.tables WHERE database = 'live' AND name = '${name}'`,
    )
    expect(comments).toBe(found?.id ?? '')
    if (found === undefined) await make()
  }
})

test('dropEmptyDataSource keeps a data source that has rows, quarantined rows or rows that were just written', async () => {
  const isThere = async () => findDataSource(await scene.data.catalogue(WORKSPACE), name) !== undefined
  const change = (sql: string) => scene.warehouse.command({ workspace: WORKSPACE, sql })
  await dropEmptyDataSource(scene.data, WORKSPACE, name)
  await change(`TRUNCATE TABLE ${name}`)
  await dropEmptyDataSource(scene.data, WORKSPACE, name)
  expect(await isThere()).toBe(true)
  await change(`TRUNCATE TABLE ${name}_quarantine`)
  const lockTables: typeof scene.store.lockTables = async input => {
    await change(`INSERT INTO ${name} (a) VALUES (1)`)
    return scene.store.lockTables(input)
  }
  await dropEmptyDataSource({ ...scene.data, store: { ...scene.store, lockTables } }, WORKSPACE, name)
  expect(await isThere()).toBe(true)
  await change(`TRUNCATE TABLE ${name}`)
  await dropEmptyDataSource(scene.data, WORKSPACE, name)
  expect(await isThere()).toBe(false)
})
