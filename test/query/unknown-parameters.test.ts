import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DataScene, openDataScene } from '../data/scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('numbers_of', { n: 'Int64' })
  await scene.dataSource('copied', { n: 'Int64' })
  await scene.pipe('base', [{ name: 'low', sql: 'SELECT n FROM numbers_of WHERE n >= {least:Int64}' }])
  await scene.pipe('snapshot', [
    { name: 'some', sql: 'SELECT n FROM base WHERE n < {most:Int64}' },
    {
      name: 'put',
      sql: "SELECT n + {plus:Int64} AS n FROM some WHERE '{quoted:Int64}' != ''",
      role: { type: 'copy', into: 'copied', mode: 'append', schedule: null },
    },
  ])
  await scene.run({ query: 'SELECT number AS n FROM numbers(10)', datasource: 'numbers_of' })
})
afterAll(() => scene?.stop())

const faults = async (path: string, body: unknown) => {
  const answer = await scene.call('POST', path, body)
  return [answer.status, answer.body.errors?.map((fault: { path: string }) => fault.path)]
}

test.each([
  ['/v1/sql', { query: 'SELECT 1', parameters: { x: 1 } }, ['parameters.x']],
  ['/v1/sql', { query: "SELECT '{x:Int8}' -- {x:Int8}", parameters: { x: 1, y: 2 } }, ['parameters.x', 'parameters.y']],
  ['/v1/sql', { query: 'SELECT n FROM base', parameters: { least: 1, most: 2 } }, ['parameters.most']],
  ['/v1/jobs', { query: 'SELECT {a:Int8} AS a', parameters: { a: 1, b: 2 } }, ['parameters.b']],
  [
    '/v1/jobs',
    { query: 'SELECT {a:Int8} AS a, {d:Date} AS d', parameters: { a: 128, d: '2026-02-29' } },
    ['parameters.a', 'parameters.d'],
  ],
  ['/v1/sql', { query: 'SELECT {a:Array(String)} AS a', parameters: { a: ['x', null] } }, ['parameters.a']],
  ['/v1/jobs', { query: 'SELECT 1 AS n', datasource: 'copied', parameters: { b: 2 } }, ['parameters.b']],
  ['/v1/jobs', { copy: { pipe: 'snapshot', parameters: { plus: 1, mode: 'replace' } } }, ['copy.parameters.mode']],
  ['/v1/jobs', { copy: { pipe: 'snapshot', parameters: { quoted: 1 } } }, ['copy.parameters.quoted']],
  [
    '/v1/jobs/batch',
    {
      jobs: [
        { command: 'true' },
        { query: 'SELECT 1', parameters: { x: 1 } },
        { copy: { pipe: 'snapshot', parameters: { y: 1 } } },
      ],
    },
    ['jobs.1.parameters.x', 'jobs.2.copy.parameters.y'],
  ],
])('%s refuses unknown parameters and values of other types: %j', async (path, body, expected) => {
  expect(await faults(path, body)).toEqual([422, expected])
})

test('parameters are accepted if a node, a pipe, or a pipe named by a parameter uses them', async () => {
  const ask = async (query: string, parameters: Record<string, unknown>) => {
    const answer = await scene.call('POST', '/v1/sql', { query, parameters })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
    return answer.body
  }
  expect(await ask('SELECT count() AS c FROM base', { least: 8 })).toEqual([{ c: '2' }])
  expect(await ask('SELECT count() AS c FROM {which:Identifier}', { which: 'base', least: 7 })).toEqual([{ c: '3' }])
  const job = await scene.run({ copy: { pipe: 'snapshot', parameters: { plus: 100, least: 1, most: 3 } } })
  expect(job.error).toBeNull()
  expect(await scene.value('SELECT groupArray(n) FROM (SELECT n FROM copied ORDER BY n)')).toBe('101,102')
})

test('parameters of a trigger go to all items, and each uses its own', async () => {
  const made = await scene.call('POST', '/v1/workflows', {
    name: 'shared',
    payload: [{ query: 'SELECT {a:Int8} AS a' }, { query: 'SELECT {b:Int8} AS b' }],
  })
  const { body } = await scene.call('POST', `/v1/workflows/${made.body.workflow_id}/trigger`, {
    parameters: { a: 1, b: 2 },
  })
  await expect
    .poll(async () => (await scene.call('GET', `/v1/runs/${body.run_id}`)).body.status, { timeout: 20_000 })
    .toBe('completed')
})

test('a value that does not fit its parameter in a node of a pipe fails the query', async () => {
  const { status, body } = await scene.call('POST', '/v1/sql', {
    query: 'SELECT n FROM base',
    parameters: { least: '9223372036854775808' },
  })
  expect([status, body.code]).toEqual([422, 'sql_error'])
  expect(body.detail).toContain('least must be of the type Int64')
})
