import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type DataScene, openDataScene } from './scene.ts'

/** Nodes that run by themselves: on an append, or by a schedule. */
let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  for (const name of ['ua', 'ub', 'kept']) await scene.dataSource(name, { a: 'Int64' })
  await scene.pipe('asks', [{ name: 'asked', sql: 'SELECT a FROM ua WHERE a > {least:Int64}' }])
  await scene.pipe('both', [{ name: 'united', sql: 'SELECT a FROM ua UNION ALL SELECT a FROM ub' }])
})
afterAll(() => scene?.stop())

type Node = Readonly<Record<string, unknown>>
const into = (sql: string, more: Node = { materialize_into: 'kept' }): Node => ({ name: 'writes', sql, ...more })
const schedule = { crons: ['0 3 * * *'] }
const faultsOf = async (nodes: readonly Node[], name = 'tried') => {
  const { status, body } = await scene.call('POST', '/v1/pipes', { name, nodes })
  expect(status, JSON.stringify(body)).toBe(422)
  return body.errors
}
const make = async (nodes: readonly Node[]) => {
  const { status, body } = await scene.call('POST', '/v1/pipes', { name: 'made', nodes })
  expect(status, JSON.stringify(body)).toBe(201)
}
afterEach(() => scene.call('DELETE', '/v1/pipes/made'))
const append = async (datasource: string, a: number) =>
  expect((await scene.run({ query: `SELECT ${a} AS a`, datasource })).error).toBeNull()
const kept = () => scene.value('SELECT arraySort(groupArray(a)) FROM kept')

describe('a node with a parameter', () => {
  test.each([
    ['of its own', [into('SELECT a FROM ua WHERE a > {x:Int64}')], 0, /node writes.*parameter x since rows/],
    [
      'of its own, saved with a new data source',
      [into('SELECT a FROM ua WHERE a > {x:Int64}', { materialize_into: 'new_one' })],
      0,
      /node writes.*parameter x/,
    ],
    [
      'of an earlier node',
      [{ name: 'first', sql: 'SELECT a + {y:Int64} AS a FROM ua' }, into('SELECT a FROM first')],
      1,
      /node writes.*parameter y, of the node first/,
    ],
    ['of another pipe', [into('SELECT a FROM ua WHERE a IN (SELECT a FROM asks)')], 0, /parameter least, of the node/],
    [
      'by a schedule',
      [into('SELECT {z:Int64} AS a', { copy_into: 'kept', schedule })],
      0,
      /parameter z since a schedule/,
    ],
  ] as const)('%s is refused where nothing gives its value', async (_, nodes, index, message) => {
    const [fault] = await faultsOf(nodes)
    expect(fault).toEqual({ path: `nodes.${index}.sql`, message: expect.stringMatching(message) })
  })

  test('is accepted where a job gives its value, and braces in a string are no parameter', async () => {
    await make([
      { name: 'plain', sql: 'SELECT a FROM ua WHERE a > {x:Int64}' },
      { name: 'copied', sql: 'SELECT a FROM plain', copy_into: 'kept' },
      { name: 'text', sql: "SELECT a FROM ua WHERE toString(a) != '{x:Int64}'", materialize_into: 'kept' },
    ])
    await append('ua', 5)
    expect((await scene.run({ copy: { pipe: 'made', parameters: { x: 4 } } })).error).toBeNull()
    expect(await kept()).toBe('5,5')
  })

  test('is refused in a pipe that a materialized node of another pipe reads', async () => {
    await scene.call('POST', '/v1/pipes', { name: 'below', nodes: [{ name: 'low', sql: 'SELECT a FROM ua' }] })
    await make([into('SELECT a FROM below')])
    const put = (sql: string) => scene.call('PUT', '/v1/pipes/below', { name: 'below', nodes: [{ name: 'low', sql }] })
    for (const [sql, reason] of [
      ['SELECT a FROM ua WHERE a > {w:Int64}', /writes of the pipe made.*parameter w, of the node low/],
      ['SELECT a FROM ua UNION ALL SELECT a FROM ub', /writes of the pipe made.*begins with ub/],
    ] as const) {
      const { status, body } = await put(sql)
      expect([status, body.errors[0].message]).toEqual([422, expect.stringMatching(reason)])
    }
    expect((await put('SELECT a + 1 AS a FROM ua')).status).toBe(200)
  })
})

describe('a materialized node with several SELECTs', () => {
  test.each([
    ['SELECT a FROM ua UNION ALL SELECT a FROM ub', 'ub'],
    ['SELECT a FROM ua EXCEPT SELECT a FROM ub', 'ub'],
    ['SELECT a FROM (SELECT a FROM ua UNION DISTINCT (SELECT a FROM ub)) WHERE a > 0', 'ub'],
    ['WITH u AS (SELECT a FROM ua UNION ALL SELECT a FROM ub) SELECT a FROM u', 'ub'],
    ['SELECT a FROM both', 'ub'],
    ['SELECT a FROM ua UNION ALL SELECT a FROM both', 'ub'],
    ['SELECT a FROM ua UNION ALL SELECT 7', 'no data source'],
    ['SELECT a FROM ua UNION ALL SELECT b.a FROM ub AS b JOIN ua ON b.a = ua.a', 'ub'],
  ])('is refused: %s', async (sql, begins) => {
    const [fault] = await faultsOf([into(sql)])
    expect(fault).toMatchObject({ path: 'nodes.0.sql', message: expect.stringContaining(`one begins with ${begins}`) })
    expect(fault.message).toContain('with each append to ua')
  })

  test.each([
    'SELECT a FROM ua WHERE a < 3 UNION ALL SELECT -a FROM ua',
    'SELECT a FROM ua JOIN (SELECT a FROM ua UNION ALL SELECT a FROM ub) AS u USING (a)',
    'SELECT a FROM ua WHERE a NOT IN (SELECT a FROM both)',
  ])('that read or join one data source is accepted: %s', async sql => {
    await make([into(sql)])
  })

  test('can be replaced by two nodes with one target, which gets each row once', async () => {
    await scene.call('POST', '/v1/datasources/kept/truncate')
    await make([
      { ...into('SELECT a FROM ua'), name: 'of_a' },
      { ...into('SELECT a FROM ub'), name: 'of_b' },
    ])
    await append('ua', 10)
    await append('ub', 20)
    await append('ua', 30)
    expect(await kept()).toBe('10,20,30')
  })
})
