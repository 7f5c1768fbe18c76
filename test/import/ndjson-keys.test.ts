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

test('objects none of which has a key of a column are refused, and replace nothing', async () => {
  await load('{"id":1}\n')
  const wrong = '{"user":7,"Id":1}\n{}\n{"user":8,"text":"b"}\n'
  expect(await load(wrong, { mode: 'replace' })).toMatchObject({
    status: 'failed',
    error: {
      code: 'schema_mismatch',
      message: expect.stringMatching(/No object has a key .* reads.*user, Id, text.*id, b, B/),
    },
  })
  expect(await scene.table(scene.name)).toEqual([['1', null, null]])
})

test('one object with a key of a column is enough', async () => {
  expect(await load('{"user":7}\n{"b":"x"}\n{"id":2,"user":8}\n')).toMatchObject({
    statistics: { rows_written: 1, quarantine_rows: 2 },
  })
})
