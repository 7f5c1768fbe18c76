import { expect, test } from 'vitest'
import { cutsColumn, cutsSql, findRangeKeys } from '../../src/executors/populate/key-ranges.ts'
import { materialized } from '../data/scene.ts'
import { useImportScene } from './use-import-scene.ts'

/** Columns may have the names that our own statements use: in the same SELECT the wrong one could be read, without an error. */
const scene = useImportScene('csv')

/** Of types that do not compare with the expressions of these names in our statements. */
const COLUMNS = {
  text1: 'Int32',
  text0: 'String',
  value1: 'Array(Int8)',
  state: 'Tuple(x Int8)',
  c0: 'Date',
  j: 'Map(String, Int8)',
  r: 'Int8',
  o: 'Nullable(Int8)',
  e0: 'Array(Array(Int8))',
  t: 'Int8',
  found: 'String',
  count: 'String',
  rows: 'Int64',
  row: 'String',
  complaint: 'String',
  read: 'UInt8',
  good: 'Int8',
  bad: 'Int8',
  at: 'DateTime',
  number: 'String',
  sample: 'Int8',
  partition: 'String',
  name: 'String',
  line: 'String',
  keys: 'String',
  least: 'Int64',
  greatest: 'Int64',
  last: 'String',
}

const GOOD = {
  text1: '1',
  text0: 'a',
  value1: '[1]',
  state: '{"x":5}',
  c0: '2024-01-01',
  j: '{"a":1}',
  r: '1',
  o: '1',
  e0: '[[1]]',
  t: '1',
  found: 'f',
  count: 'c',
  rows: '7',
  row: 'r',
  complaint: 'c',
  read: '3',
  good: '1',
  bad: '1',
  at: '2024-01-01 00:00:00',
  number: 'n',
  sample: '1',
  partition: 'p',
  name: 'n',
  line: 'l',
  keys: 'k',
  least: '3',
  greatest: '4',
  last: 'say "x"',
}
const BAD = { ...GOOD, text1: 'x', value1: '[300]', state: '{"y":1}', r: '300', at: 'noon', least: 'low' }

const csv = (...rows: readonly Readonly<Record<string, string>>[]): string => {
  const lines = rows.map(row => Object.values(row).map(value => `"${value.replaceAll('"', '""')}"`))
  return [Object.keys(COLUMNS), ...lines].map(fields => `${fields.join(',')}\n`).join('')
}

const open = async (name: string): Promise<void> => scene.dataSource(name, COLUMNS, { sortingKey: 'least' })

test('columns named as in our own statements accept valid rows in one pass', async () => {
  await open('plain')
  // A quote may be open at the end, so all strings are checked.
  const url = scene.give('/plain', csv(GOOD))
  expect(await scene.import({ datasource: 'plain', url, header: true })).toMatchObject({ status: 'completed' })
  expect(await scene.table('plain')).toEqual([Object.values(GOOD)])
})

test('columns named as in our own statements have their invalid rows quarantined beside valid ones', async () => {
  await open('mixed')
  const url = scene.give('/mixed', csv(GOOD, BAD, { ...GOOD, text1: '2' }))
  const job = await scene.import({ datasource: 'mixed', url, header: true })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 2, quarantine_rows: 1 } })
  expect(await scene.table('mixed', 'text1')).toEqual([Object.values(GOOD), ['2', ...Object.values(GOOD).slice(1)]])
  const { body } = await scene.call('GET', '/v1/datasources/mixed/quarantine')
  expect(body.rows[0]).toMatchObject({
    ...BAD,
    c__error_column: ['text1', 'value1', 'state', 'r', 'at', 'least'],
    c__import_id: job.job_id,
  })
})

test('columns named as in our own statements accept NDJSON', async () => {
  await open('objects')
  const url = scene.give('/objects', `${JSON.stringify(GOOD)}\n${JSON.stringify(BAD)}\n`)
  const job = await scene.import({ datasource: 'objects', url, format: 'ndjson' })
  expect(job).toMatchObject({ status: 'completed', statistics: { rows_written: 1, quarantine_rows: 1 } })
  expect(await scene.table('objects')).toEqual([Object.values(GOOD)])
})

test('too many bad rows are reported with examples', async () => {
  await open('refused')
  const url = scene.give('/refused', csv(GOOD, BAD))
  const job = await scene.import({ datasource: 'refused', url, header: true, max_bad_rows: 0 })
  expect(job).toMatchObject({ status: 'failed', error: { code: 'too_many_bad_rows' } })
  expect(job.error.message).toContain('text1 is not a valid Int32')
  expect(job.error.message).toContain('["x","a","[300]"')
})

test('conditions of a replace, a delete and a populate can use columns named as in our own statements', async () => {
  await open('parts')
  const url = scene.give('/parts', csv(GOOD, { ...GOOD, rows: '8' }, { ...GOOD, rows: '9' }))
  await scene.import({ datasource: 'parts', url, header: true })
  const fields = { datasource: 'parts', mode: 'replace', header: true }
  const other = await scene.import({
    ...fields,
    url: scene.give('/eight', csv({ ...GOOD, rows: '8', count: 'new' })),
    replace_condition: "rows = 8 AND partition = 'p' AND sample = 1",
  })
  expect(other).toMatchObject({ status: 'completed', statistics: { row_count: 3 } })
  const condition = "rows = 9 AND count = 'c' AND partition = 'p'"
  const gone = await scene.run({ delete: { datasource: 'parts', condition } })
  expect(gone).toMatchObject({ status: 'completed', statistics: { rows_deleted: 1, row_count: 2 } })
  await scene.dataSource('counts', { count: 'String', rows: 'Int64' })
  const sql = 'SELECT count, rows FROM parts'
  await scene.pipe('counting', [{ name: 'counted', sql, role: materialized('counts') }])
  const populate = { pipe: 'counting', node: 'counted', condition: 'rows = 8' }
  expect(await scene.run({ populate })).toMatchObject({ status: 'completed' })
  expect(await scene.table('counts')).toEqual([['new', '8']])
  const [key] = findRangeKeys({ columns: [{ name: 'least', type: 'Int64' }], sortingKey: 'least' })
  const cuts = cutsSql(key!, { table: 'parts', condition: 'rows = 8', count: 1 }, 2)
  expect(await scene.rows(cuts)).toEqual([{ [cutsColumn]: ['3'] }])
})
