import { expect, test } from 'vitest'
import { useImportScene } from './use-import-scene.ts'

const scene = useImportScene('ndjson', { columns: { id: 'Int32', b: 'Nullable(String)', B: 'Nullable(String)' } })
const { load } = scene

test('a key that differs in case is another key, as in JSON', async () => {
  const job = await load('{"Id":9,"id":1,"b":"x"}\n{"ID":9,"B":"y","id":2}\n{"id":3,"Id":9}\n')
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 3, quarantine_rows: 0 } })
  expect(await scene.table(scene.name, 'id')).toEqual([
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
  expect(await scene.table(scene.name, 'id')).toEqual([
    ['1', null, null],
    ['4', 'z', null],
  ])
})
