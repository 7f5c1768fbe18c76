import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPipe, replacePipe } from '../../src/data/pipes/pipes.ts'
import type { NodeRole } from '../../src/model/pipe.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('sales', { x: 'String', n: 'Int64' }, { engine: 'ReplacingMergeTree(n)', sortingKey: 'x' })
  await scene.dataSource('tags', { tag: 'String' })
  await scene.dataSource('notes', { x: 'String', tags: 'Array(String)' })
  await write("SELECT 'real' AS x, toInt64(1) AS n", 'sales')
  await write("SELECT 'real' AS x, toInt64(2) AS n", 'sales')
  await write("SELECT 'real' AS tag", 'tags')
  await write("SELECT 'note' AS x, ['blue'] AS tags", 'notes')
  await scene.pipe('final_sales', [
    { name: 'newest', sql: 'SELECT sales.x, n FROM sales FINAL' },
    { name: 'doubled', sql: 'SELECT x, newest.n * 2 AS n FROM newest' },
  ])
})
afterAll(() => scene?.stop())

const write = async (query: string, datasource: string, more = {}) =>
  expect(await scene.run({ query, datasource, ...more })).toMatchObject({ status: 'completed', error: null })

const ask = (query: string, parameters = {}) => scene.call('POST', '/v1/sql', { query, parameters })

/** Values of the first column, sorted. */
const values = async (query: string, parameters = {}): Promise<unknown> => {
  const { status, body } = await ask(query, parameters)
  return status === 200
    ? (body as Record<string, unknown>[]).map(row => Object.values(row)[0]).sort()
    : (body as { detail: string }).detail
}

const plain: NodeRole = { type: 'plain' }
const faultOf = async (nodes: readonly { name: string; sql: string; role?: NodeRole }[], name = 'tried') => {
  const given = { name, nodes: nodes.map(node => ({ role: plain, ...node })) }
  const error = await createPipe(scene.data, WORKSPACE, given).then(
    () => null,
    (thrown: { code: string; errors: readonly { path: string; message: string }[] }) => thrown,
  )
  expect(error?.code).toBe('invalid')
  return error!.errors[0]!
}

describe('names of a query have no effect inside the pipes that it reads:', () => {
  test.each([
    ['an expression', "WITH sales AS (SELECT 'mine' AS x, 7 AS n) SELECT n FROM final_sales", ['4']],
    ['an expression named like a node', "WITH newest AS (SELECT 'mine' AS x, 7 AS n) SELECT n FROM final_sales", ['4']],
    ['one that comes later', 'WITH a AS (SELECT n FROM final_sales), sales AS (SELECT 7 AS n) SELECT n FROM a', ['4']],
    [
      'one in a subquery',
      'SELECT n FROM (WITH sales AS (SELECT 7 AS n), newest AS (SELECT 7 AS n) SELECT * FROM final_sales)',
      ['4'],
    ],
    [
      'one that is read too',
      'WITH sales AS (SELECT toInt64(7) AS n) SELECT n FROM final_sales UNION ALL SELECT n FROM sales',
      ['4', '7'],
    ],
    [
      'one that reads the pipe',
      'WITH sales AS (SELECT n + 1 AS n FROM final_sales) SELECT sales.n FROM sales JOIN final_sales ON true',
      ['5'],
    ],
    [
      'one named like the pipe',
      'WITH final_sales AS (SELECT final_sales.n + 1 AS n FROM final_sales) SELECT final_sales.n FROM final_sales',
      ['5'],
    ],
    [
      'one of that name in one part of a UNION',
      'SELECT n FROM (WITH final_sales AS (SELECT 7 AS n) SELECT n FROM final_sales) UNION ALL SELECT n FROM final_sales',
      ['4', '7'],
    ],
    ['an alias of a table', 'SELECT final_sales.n FROM (SELECT 7 AS n) AS sales, final_sales', ['4']],
    ['an alias of a value', 'WITH 7 AS sales SELECT n, sales FROM final_sales', ['4']],
    ['a column', 'SELECT final_sales.n, newest, sales FROM (SELECT 1 AS newest, 2 AS sales) AS t, final_sales', ['4']],
    [
      'a quoted one',
      'WITH "sales" AS (SELECT 7 AS n), `newest` AS (SELECT * FROM "sales") SELECT n FROM "final_sales"',
      ['4'],
    ],
    [
      'one named as the server names its own',
      'WITH c__1_newest AS (SELECT 7 AS n), c__2_doubled AS (SELECT 8 AS n) SELECT n FROM final_sales',
      ['4'],
    ],
    [
      'one that reads itself',
      'WITH RECURSIVE sales AS (SELECT toInt64(1) AS n UNION ALL SELECT n + 1 FROM sales WHERE n < 3) SELECT n FROM sales UNION ALL SELECT n FROM final_sales',
      ['1', '2', '3', '4'],
    ],
  ])('%s', async (_, query, expected) => {
    expect(await values(query)).toEqual(expected)
  })

  test('in query jobs, and in jobs that write', async () => {
    const query = "WITH sales AS (SELECT 'mine' AS x, toInt64(7) AS n) SELECT x, n FROM final_sales"
    const job = await scene.run({ query, format: 'ndjson' })
    const result = await scene.call('GET', `/v1/jobs/${job.job_id}/result`)
    expect(JSON.stringify(result.body)).toContain('real')
    await scene.dataSource('written', { x: 'String', n: 'Int64' })
    await write(query, 'written')
    expect(await scene.rows('SELECT x, n FROM written')).toEqual([{ x: 'real', n: '4' }])
  })
})

test('names in strings, in comments and of columns are left as they are', async () => {
  await scene.pipe('texts', [
    { name: 'sole', sql: "SELECT 'it''s sole' AS sole, 'sole' AS `a \\` sole`, 1 AS n" },
    {
      name: 'used',
      sql: "SELECT sole.sole, /* sole */ `a \\` sole`, 'FROM sole' AS t, [sole] AS list, sole.n AS sole_n -- FROM sole\n FROM `sole` WHERE sole != 'sole' AND \"sole\".n = 1",
    },
  ])
  expect((await ask('SELECT * FROM texts')).body).toEqual([
    { sole: "it's sole", 'a ` sole': 'sole', t: 'FROM sole', list: ["it's sole"], sole_n: 1 },
  ])
  expect(await values("SELECT concat(t, ' texts') FROM texts WHERE t = 'FROM sole' -- texts")).toEqual([
    'FROM sole texts',
  ])
})

test('a node may be named like a keyword, and may be read twice by another node', async () => {
  await scene.pipe('words', [
    { name: 'STEP', sql: 'SELECT number AS n FROM numbers(3)' },
    { name: 'FILL', sql: 'SELECT STEP.n FROM STEP ORDER BY n WITH FILL FROM 0 TO 5 STEP 1' },
    { name: 'both', sql: 'SELECT count() AS n FROM FILL JOIN FILL USING (n)' },
  ])
  expect(await values('SELECT n FROM words')).toEqual(['5'])
})

test('expressions of one node are not visible in another', async () => {
  await scene.pipe('apart', [
    { name: 'source', sql: 'SELECT n FROM sales FINAL' },
    { name: 'own', sql: 'WITH sales AS (SELECT n + 10 AS n FROM source) SELECT n FROM sales' },
    { name: 'same', sql: 'WITH source AS (SELECT n + 100 AS n FROM own), own AS (SELECT 5 AS n) SELECT n FROM source' },
    {
      name: 'shadow',
      sql: 'WITH sales AS (SELECT * FROM sales FINAL) SELECT n FROM sales UNION ALL SELECT n FROM same',
    },
  ])
  const { pipes } = await scene.data.catalogue(WORKSPACE)
  const nodes = pipes.find(({ name }) => name === 'apart')!.nodes
  expect(nodes.map(({ reads }) => reads)).toEqual([['sales'], ['source'], [], ['sales', 'same']])
  // In `same` the first expression reads the second, as in ClickHouse.
  expect(await values('WITH source AS (SELECT 1 AS n) SELECT n FROM apart')).toEqual(['105', '2'])
  expect(
    await values('SELECT n FROM (WITH sales AS (SELECT 9 AS n), own AS (SELECT 9 AS n) SELECT * FROM apart)'),
  ).toEqual(['105', '2'])
})

test('all parts of a UNION or EXCEPT see the expressions of the first SELECT', async () => {
  await scene.pipe('sets', [{ name: 'one', sql: 'SELECT 1 AS n' }])
  for (const [query, expected] of [
    ['WITH sets AS (SELECT 2 AS n) SELECT n FROM sets UNION ALL SELECT n FROM sets', [2, 2]],
    ['SELECT 1 AS n FROM sets UNION ALL WITH sets AS (SELECT 2 AS n) SELECT n FROM sets', [1, 2]],
    ['WITH sets AS (SELECT 2 AS n) SELECT n FROM sets EXCEPT SELECT n FROM (SELECT n FROM sets)', []],
    ['(WITH sets AS (SELECT 2 AS n) SELECT n FROM sets) EXCEPT SELECT 3', [2]],
    ['SELECT * EXCEPT m FROM (WITH sets AS (SELECT 2 AS n) SELECT n, 1 AS m FROM sets)', [2]],
  ] as const)
    expect(await values(`SELECT * FROM (${query}) WHERE 1 IN (SELECT 1 FROM sets)`), query).toEqual(expected)
})

describe('the right side of IN', () => {
  test('is the table or node, whatever a reader of the pipe gives that name', async () => {
    await scene.pipe('looked_up', [
      { name: 'known', sql: "SELECT 'real' AS k" },
      {
        name: 'found',
        sql: "SELECT 'real' IN tags AS a, in('real', known) AS b, x GLOBAL NOT IN (known) AS c FROM sales FINAL",
      },
    ])
    const row = { a: 1, b: 1, c: 0 }
    expect((await ask("WITH ['z'] AS tags, ['z'] AS known SELECT a, b, c FROM looked_up")).body).toEqual([row])
    expect((await ask("SELECT a, b, c FROM looked_up, (SELECT ['z'] AS tags, ['z'] AS known) AS t")).body).toEqual([
      row,
    ])
    expect((await ask("WITH tags AS (SELECT 'z' AS k), known AS tags SELECT a, b, c FROM looked_up")).body).toEqual([
      row,
    ])
  })

  test('may be a pipe, system.jobs_log, an expression, an alias or a column', async () => {
    await scene.pipe('words_known', [{ name: 'word', sql: "SELECT 'real' AS w" }])
    expect(await values("SELECT 'real' IN words_known")).toEqual([1])
    expect(await values("SELECT 'query' IN (SELECT kind FROM system.jobs_log)")).toEqual([1])
    expect(await values("WITH known AS (SELECT 'z' AS w) SELECT w IN known FROM words_known")).toEqual([0])
    expect(await values("WITH ['real'] AS list SELECT w IN list FROM words_known")).toEqual([1])
    expect(
      await values(
        "SELECT 'z' IN words_known FROM (SELECT ['z'] AS words_known) WHERE 1 IN (SELECT count() FROM words_known)",
      ),
    ).toEqual([1])
  })

  test('is refused in a node if it is both a column and a table', async () => {
    expect(await faultOf([{ name: 'two', sql: "SELECT 'blue' IN tags AS is FROM notes" }])).toMatchObject({
      path: 'nodes.0.sql',
      message: expect.stringContaining('IN (SELECT * FROM tags)'),
    })
    await scene.pipe('clear', [
      { name: 'of_table', sql: "SELECT 'blue' IN (SELECT * FROM tags) AS is FROM notes" },
      { name: 'of_column', sql: "SELECT has(tags, 'blue') AS is FROM notes" },
      { name: 'both', sql: 'SELECT of_table.is * 10 + of_column.is AS is FROM of_table, of_column' },
    ])
    expect(await values('SELECT is FROM clear')).toEqual([1])
  })
})

test('a lambda must not have the name of a function', async () => {
  for (const query of [
    "WITH x -> 'mine' AS lower SELECT x FROM final_sales",
    "WITH x -> 'mine' AS f, f AS g, g AS LOWER SELECT x FROM final_sales",
  ])
    expect(await values(query)).toMatch(/There is a function lower: rename the lambda/i)
  expect(
    await values(
      "WITH x -> concat(x, '!') AS loud SELECT arrayMap(loud, [x])[1], count() AS count FROM final_sales GROUP BY x",
    ),
  ).toEqual(['real!'])
})

test('view(…) can read only data sources', async () => {
  await scene.pipe('in_view', [
    { name: 'only', sql: 'WITH sales AS (SELECT 1 AS n) SELECT n FROM view(SELECT n FROM sales FINAL)' },
  ])
  expect(await values('WITH sales AS (SELECT 1 AS n) SELECT n FROM in_view')).toEqual(['2'])
  expect(await values('SELECT * FROM view(SELECT * FROM in_view)')).toContain('in_view cannot be read in view')
})

test('system tables cannot be read by a query or a node', async () => {
  expect(await values('SELECT count() > 0 FROM system.jobs_log')).toEqual([1])
  for (const name of ['c__jobs_log', 'live.c__jobs_log', '`c__jobs_log`'])
    expect(await values(`SELECT job_id FROM ${name}`)).toMatch(
      /^The table (live\.)?c__jobs_log cannot be read: names that begin with c__ are of the server itself\.$/,
    )
  expect(await values('SELECT * FROM {t:Identifier}', { t: 'c__jobs_log' })).toMatch(/are of the server itself/)
  expect((await faultOf([{ name: 'log', sql: 'SELECT job_id FROM c__jobs_log' }])).message).toMatch(
    /are of the server itself/,
  )
  expect(
    await values(
      'WITH jobs_log AS (SELECT 1 AS a), c__jobs_log AS (SELECT 2 AS a) SELECT count() > 1 FROM system.jobs_log',
    ),
  ).toEqual([1])
})

describe('names inside nodes keep their meaning in jobs that write:', () => {
  const nodes = (into: string, role: NodeRole) => [
    { name: `picked_${into}`, sql: 'WITH tags AS (SELECT x, n FROM sales) SELECT x, n FROM tags' },
    {
      name: `made_${into}`,
      sql: `WITH sales AS (SELECT x, n FROM picked_${into}), known AS (SELECT tag FROM tags) SELECT x, n FROM sales WHERE x IN known AND x IN tags`,
      role,
    },
  ]

  test('materialized nodes, fed in staging and populated', async () => {
    await scene.pipe('feeds', nodes('fed', materialized('fed')))
    const fed = () => scene.value('SELECT groupArray(n) FROM (SELECT n FROM fed ORDER BY n)')
    await write(
      "SELECT 'real' AS x, toInt64(n) AS n FROM (SELECT arrayJoin([3, 4]) AS n) UNION ALL SELECT 'other', 5",
      'sales',
    )
    expect(await fed()).toBe('3,4')
    expect(await scene.run({ populate: { pipe: 'feeds', truncate: true } })).toMatchObject({ status: 'completed' })
    expect(await fed()).toBe(
      await scene.value("SELECT groupArray(n) FROM (SELECT n FROM sales WHERE x = 'real' ORDER BY n)"),
    )
    expect(await scene.run({ populate: { pipe: 'feeds', truncate: true, condition: 'n = 4' } })).toMatchObject({
      status: 'completed',
    })
    expect(await fed()).toBe('4')
    await write("SELECT 'real' AS x, toInt64(9) AS n", 'sales', { mode: 'replace' })
    expect(await fed()).toBe('9')
  })

  test('copies', async () => {
    await scene.pipe('copies', nodes('copied', { type: 'copy', into: 'copied', mode: 'replace', schedule: null }))
    expect(await scene.run({ copy: { pipe: 'copies' } })).toMatchObject({ status: 'completed' })
    expect(await scene.value('SELECT groupArray(n) FROM copied')).toBe('9')
  })
})

describe('a SELECT with too many reads', () => {
  const doubling = (prefix: string, depth: number) => [
    { name: `${prefix}0`, sql: 'SELECT x FROM sales' },
    ...Array.from({ length: depth }, (_, index) => ({
      name: `${prefix}${index + 1}`,
      sql: `SELECT l.x AS x FROM ${prefix}${index} AS l JOIN ${prefix}${index} AS r USING (x)`,
    })),
  ]

  test('is refused when a pipe is saved, at the first node that has them', async () => {
    const begun = performance.now()
    const fault = await faultOf(doubling('deep', 20))
    expect(fault).toMatchObject({ path: 'nodes.9.sql', message: expect.stringMatching(/256 times.*Materialize/) })
    expect(performance.now() - begun).toBeLessThan(30_000)
    const inside = `WITH ${Array.from({ length: 20 }, (_, index) => (index === 0 ? 'x0 AS (SELECT x FROM sales)' : `x${index} AS (SELECT l.x AS x FROM x${index - 1} AS l, x${index - 1} AS r)`)).join(', ')} SELECT x FROM x19`
    expect((await faultOf([{ name: 'alone', sql: inside }])).message).toMatch(/256 times/)
  })

  test('is refused when it is queried', async () => {
    await scene.pipe('many', doubling('m', 6))
    expect(await values('SELECT count() FROM many AS a')).toEqual(['1'])
    const froms = Array.from({ length: 16 }, () => 'SELECT x FROM many').join(' UNION ALL ')
    expect(await ask(`SELECT count() FROM (${froms})`)).toMatchObject({
      status: 422,
      body: { code: 'sql_error', detail: expect.stringMatching(/256 times/) },
    })
  })

  test('is refused if the saved pipe would cause them in another pipe', async () => {
    await scene.pipe('base', [{ name: 'only', sql: 'SELECT x FROM sales' }])
    const twice = (name: string) => `SELECT x FROM ${name} UNION ALL SELECT x FROM ${name}`
    const names = ['base', ...Array.from({ length: 8 }, (_, index) => `above${index}`)]
    for (const [index, name] of names.slice(1).entries())
      await scene.pipe(name, [{ name: 'only', sql: twice(names[index]!) }])
    const role = plain
    const replace = (sql: string) =>
      replacePipe(scene.data, WORKSPACE, 'base', { name: 'base', nodes: [{ name: 'only', sql, role }] })
    await expect(replace(twice('final_sales'))).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ path: 'nodes.0.sql', message: expect.stringMatching(/the pipe above7, which reads this one.*256/) }],
    })
    expect(await replace('SELECT x, 1 AS one FROM sales')).toMatchObject({ name: 'base' })
  })

  test('is refused if its nodes are nested deeper than a query can read', async () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, index) => ({
        name: `link${index}`,
        sql: `SELECT n FROM ${index === 0 ? 'sales' : `link${index - 1}`}`,
      }))
    expect(await faultOf(chain(90))).toMatchObject({
      path: expect.stringMatching(/^nodes\.\d+\.sql$/),
      message: expect.stringContaining('Too deep subqueries'),
    })
    await scene.pipe('chained', chain(70))
    const nested = `${'SELECT n FROM ('.repeat(20)}SELECT n FROM chained${')'.repeat(20)}`
    expect(await values(nested)).toEqual(['9'])
  })

  test('is not one with a long text: each node is included once', async () => {
    for (let index = 0; index < 20; index++)
      await scene.pipe(`chain${index}`, [
        { name: 'first', sql: `SELECT n FROM ${index === 0 ? 'sales' : `chain${index - 1}`}` },
        { name: 'last', sql: 'SELECT n FROM first' },
      ])
    expect(await values('SELECT n FROM chain19')).toEqual(['9'])
  })
})
