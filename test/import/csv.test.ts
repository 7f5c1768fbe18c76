import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ImportScene, openImportScene } from './scene.ts'

let scene: ImportScene
let name: string
let count = 0

beforeAll(async () => {
  scene = await openImportScene()
})
afterAll(() => scene.stop())

beforeEach(async () => {
  name = `events_${++count}`
  await scene.dataSource(name, { id: 'Int64', name: 'String', price: 'Nullable(Float64)' })
})

/** Imports a text as CSV. */
const load = (text: string | Uint8Array, fields: Record<string, unknown> = {}) =>
  scene.import({ datasource: name, url: scene.give(`/${name}.csv`, text), ...fields })

test('rows of a CSV are appended', async () => {
  const job = await load('id,name,price\n1,one,1.5\n2,two,\n')
  expect(job).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2, rows_read: 2, quarantine_rows: 0, invalid_lines: 0, bytes_read: 31, row_count: 2 },
  })
  await load('price,id,name\n0.5,3,three\n')
  expect(await scene.table(name)).toEqual([
    ['1', 'one', '1.5'],
    ['2', 'two', null],
    ['3', 'three', '0.5'],
  ])
  expect(await scene.staging()).toEqual([])
})

test('rows that do not fit are quarantined, lines of the wrong shape are counted with their numbers', async () => {
  const job = await load('id,name,price\n1,one,1\nx,two,2\n3,three\n4,four,abc\n\n5,five,5,6\n6,"si\nx",6\n7\n')
  expect(job).toMatchObject({
    status: 'completed',
    statistics: { rows_written: 2, quarantine_rows: 2, invalid_lines: 3 },
  })
  expect(await scene.table(name)).toEqual([
    ['1', 'one', '1'],
    ['6', 'si\nx', '6'],
  ])
  const quarantined = await scene.rows<Record<string, unknown>>(`SELECT * FROM ${name}_quarantine ORDER BY id`)
  expect(quarantined).toEqual([
    expect.objectContaining({
      id: '4',
      name: 'four',
      price: 'abc',
      c__error_column: ['price'],
      c__import_id: job.job_id,
    }),
    expect.objectContaining({ id: 'x', name: 'two', price: '2', c__error_column: ['id'] }),
  ])
  const log = await scene.log(job.job_id)
  expect(log).toContain('line 4 has 2 columns, not 3: 3,three')
  expect(log).toContain('line 7 has 4 columns, not 3: 5,five,5,6')
  expect(log).toContain('line 10 has 1 columns, not 3: 7')
})
