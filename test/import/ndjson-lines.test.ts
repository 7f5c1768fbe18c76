import { expect, test } from 'vitest'
import { useImportScene, written } from './use-import-scene.ts'

/** A line of NDJSON is an object by itself, whatever else the content has. */
const scene = useImportScene('ndjson', { columns: { id: 'Nullable(Int32)', b: 'Nullable(String)' } })
const { load } = scene

const RIGHT = [
  '{"id":1,"b":"x"},',
  ' {"b":"y","id":2} ',
  '{"id":3} , ',
  '{"id":4,"c":{"a":1,"a":2}}',
  '{"id":5,"c":"\\ud800"}',
]
const WRONG = [
  '{"id":10}{"id":11}',
  '{"id":10},{"id":11}',
  '{"id":01}',
  '{"id":10,',
  '"b":"z"}',
  '{"id":10,"id":11,"b":"y"}',
  '{"id":10,"b":"2","b":"300"}',
  '{"id":10,"c":1,"c":2}',
  '{"id":10,"\\u0069d":11}',
  '{"id":10,"b":"\\x"}',
  '{"id":10,"b":[1,]}',
  '[1]',
  ',',
]

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['all of them', WRONG],
  ...WRONG.map(line => [line, [line]] as const),
]

test.each(CASES)('these lines are invalid, whatever else is in the file: %s', async (_, wrong) => {
  const job = await load(`{"id":0}\n${[...wrong, ...RIGHT].join('\n')}\n`)
  expect(job).toMatchObject({ status: 'completed' })
  expect(written(job)).toEqual([RIGHT.length + 1, 0, wrong.length])
  expect((await scene.table(scene.name, 'id')).map(([id]) => id)).toEqual(['0', '1', '2', '3', '4', '5'])
})

test.each([
  ['alone', '', 0],
  ['beside an invalid row', '{"id":"x"}\n', 1],
])('half a surrogate pair, which UTF-8 cannot express, is quarantined: %s', async (_, other, bad) => {
  const halves = ['\\udc00', 'a\\uDFFFb', '\\ud83d\\ude00\\ude00'].map(text => `{"id":9,"b":"${text}"}\n`)
  const job = await load(`{"id":1,"b":"\\ud83d\\ude00"}\n${halves.join('')}${other}`)
  expect(written(job)).toEqual([1, halves.length + bad, 0])
  expect(await scene.table(scene.name)).toEqual([['1', '😀']])
})

test('a duplicate key is reported with its line', async () => {
  const job = await load('{"id":1}\n{"id":2,"id":3,"b":"y"}\n{"id":4,"b":2,"b":300}\n')
  const log = await scene.log(job.job_id)
  expect(log).toContain('line 2 has a key twice: {"id":2,"id":3,"b":"y"}')
  expect(log).toContain('line 3 has a key twice: {"id":4,"b":2,"b":300}')
  expect(written(job)).toEqual([1, 0, 2])
})

test('a deeply nested or very long object has the same outcome alone and beside a broken line', async () => {
  const deep = (levels: number) => `{"id":7,"c":${'['.repeat(levels)}${']'.repeat(levels)}}`
  const long = (bytes: number) => `{"id":8,"c":"${'x'.repeat(bytes)}"}`
  for (const line of [deep(900), deep(1010), deep(1400), deep(1600), long(15 * 2 ** 20), long(17 * 2 ** 20)]) {
    const alone = await load(`${line}\n{"id":1}\n`)
    const beside = await load(`${line}\n{"id":1}\nbroken\n`)
    const [rows, bad, invalid] = written(alone)
    expect(written(beside)).toEqual([rows, bad, invalid! + 1])
  }
})
