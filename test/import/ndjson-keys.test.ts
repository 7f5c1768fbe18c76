import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

let scene: ImportScene
let name = ''
let count = 0
beforeAll(async () => {
  scene = await openImportScene()
})
afterAll(() => scene.stop())
beforeEach(async () => {
  name = `keys_${++count}`
  await scene.dataSource(name, { id: 'Int32', b: 'Nullable(String)', B: 'Nullable(String)' })
})

const load = (content: string) =>
  scene.import({ datasource: name, url: scene.give(`/${name}.ndjson`, content), format: 'ndjson' })

test('a key that differs in case is another key, as in JSON', async () => {
  const job = await load('{"Id":9,"id":1,"b":"x"}\n{"ID":9,"B":"y","id":2}\n{"id":3,"Id":9}\n')
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 3, quarantine_rows: 0 } })
  expect(await scene.table(name, 'id')).toEqual([
    ['1', 'x', null],
    ['2', null, 'y'],
    ['3', null, null],
  ])
})

test('a key that differs in case does not make a line invalid beside unreadable lines', async () => {
  const job = await load('{"Id":9,"id":1}\nbroken\n{"ID":9}\n{"id":"x","Id":2}\n{"b":"z","id":4}\n')
  expect(job).toMatchObject({
    status: 'completed',
    statistics: { rows_read: 5, rows_written: 2, quarantine_rows: 2, invalid_lines: 1 },
  })
  expect(await scene.table(name, 'id')).toEqual([
    ['1', null, null],
    ['4', 'z', null],
  ])
})
