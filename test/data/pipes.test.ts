import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPipe, replacePipe } from '../../src/data/pipes/pipes.ts'
import { pipesOf } from '../../src/model/catalogue-graph.ts'
import type { NodeRole } from '../../src/model/pipe.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('events', { day: 'Date', product: 'String', amount: 'Float64' })
  await scene.dataSource('products', { product: 'String', category: 'String' })
})
afterAll(() => scene?.stop())

const plain: NodeRole = { type: 'plain' }
const faultsOf = async (nodes: readonly { name: string; sql: string; role?: NodeRole }[], name = 'tried') => {
  const error = await createPipe(scene.data, WORKSPACE, {
    name,
    nodes: nodes.map(node => ({ role: plain, ...node })),
  }).then(
    () => null,
    (error: { code: string; errors: { path: string; message: string }[] }) => error,
  )
  expect(error?.code).toBe('invalid')
  return error!.errors
}

describe('a pipe is refused, with the node at fault,', () => {
  test('whose node reads what does not exist', async () => {
    const [fault] = await faultsOf([
      { name: 'fine', sql: 'SELECT * FROM events' },
      { name: 'lost', sql: 'SELECT * FROM nowhere' },
    ])
    expect(fault).toMatchObject({ path: 'nodes.1.sql', message: expect.stringMatching(/lost.*nowhere/) })
  })

  test('whose node reads a later one, itself, or the history of jobs', async () => {
    const faults = await faultsOf([
      { name: 'early', sql: 'SELECT * FROM late' },
      { name: 'late', sql: 'SELECT * FROM late' },
      { name: 'history', sql: 'SELECT * FROM system.jobs_log' },
      { name: 'other_history', sql: 'SELECT * FROM events WHERE 1 IN (SELECT 1 FROM tinybird.jobs_log)' },
    ])
    expect(faults).toEqual([
      {
        path: 'nodes.0.sql',
        message: 'the node early: it reads late, which comes after it: nodes read those before them',
      },
      { path: 'nodes.1.sql', message: 'the node late: it reads itself' },
      { path: 'nodes.2.sql', message: expect.stringMatching(/^the node history: .*system\.jobs_log.*queries/) },
      { path: 'nodes.3.sql', message: expect.stringMatching(/^the node other_history: .*tinybird\.jobs_log.*queries/) },
    ])
  })

  test('whose node reads a data source that another of its nodes creates', async () => {
    const nodes = [
      { name: 'first', sql: 'SELECT day, amount FROM events', role: materialized('by_first') },
      { name: 'second', sql: 'SELECT day, sum(amount) AS s FROM by_first GROUP BY day' },
    ]
    const [fault] = await faultsOf(nodes)
    expect(fault).toMatchObject({
      path: 'nodes.1.sql',
      message: expect.stringMatching(/^the node second: by_first is made with the node first, and cannot be read yet/),
    })
    const { dataSources } = await scene.data.catalogue(WORKSPACE)
    expect(dataSources.map(({ name }) => name)).not.toContain('by_first')
    await scene.dataSource('by_first', { day: 'Date', amount: 'Float64' })
    await scene.pipe('both_nodes', nodes)
  })

  test('whose SQL does not parse, calls a forbidden function or names a database', async () => {
    const faults = await faultsOf([
      { name: 'broken', sql: 'SELEC 1' },
      { name: 'reader', sql: "SELECT file('/etc/passwd') AS x" },
      { name: 'two', sql: 'SELECT 1 AS x; DROP TABLE events' },
      { name: 'other', sql: 'SELECT * FROM live.events' },
      { name: 'writer', sql: 'INSERT INTO events SELECT 1' },
      { name: 'names', sql: 'SELECT * FROM {which:Identifier}' },
    ])
    expect(faults.map(({ path }) => path)).toEqual([0, 1, 2, 3, 4, 5].map(index => `nodes.${index}.sql`))
    expect(await scene.value('SELECT count() FROM events')).toBe('0')
  })

  test('that closes a cycle', async () => {
    await scene.pipe('down', [
      {
        name: 'sums',
        sql: 'SELECT product, sum(amount) AS amount FROM events GROUP BY product',
        role: materialized('sums_of'),
      },
    ])
    await scene.dataSource('back', { product: 'String', amount: 'Float64' })
    const [ring] = await faultsOf([
      { name: 'again', sql: 'SELECT product, amount FROM sums_of', role: materialized('sums_of') },
    ])
    expect(ring?.message).toContain('sums_of > sums_of')
    await scene.pipe('reads_down', [{ name: 'it', sql: 'SELECT * FROM down' }])
    const round = replacePipe(scene.data, WORKSPACE, 'down', {
      name: 'down',
      nodes: [{ name: 'sums', sql: 'SELECT * FROM reads_down', role: plain }],
    })
    await expect(round).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('reads_down') })
  })

  test('whose columns do not match its data source', async () => {
    const [few] = await faultsOf([{ name: 'few', sql: 'SELECT day FROM events', role: materialized('back') }])
    expect(few?.message).toMatch(/back does not have: day/)
    const [many] = await faultsOf([
      { name: 'many', sql: 'SELECT product, amount, 1 AS more FROM events', role: materialized('back') },
    ])
    expect(many?.message).toMatch(/more/)
  })

  test('that has duplicate, reserved or taken names', async () => {
    const faults = await faultsOf(
      [
        { name: 'a', sql: 'SELECT 1 AS x' },
        { name: 'a', sql: 'SELECT 1 AS x' },
        { name: 'events', sql: 'SELECT 1 AS x' },
        { name: 'select', sql: 'SELECT 1 AS x' },
      ],
      'x_quarantine',
    )
    expect(faults.map(({ path }) => path)).toEqual(['name', 'nodes.1.name', 'nodes.2.name', 'nodes.3.name'])
    const taken = createPipe(scene.data, WORKSPACE, {
      name: 'events',
      nodes: [{ name: 'a', sql: 'SELECT 1 AS x', role: plain }],
    })
    await expect(taken).rejects.toMatchObject({ code: 'data_source_exists' })
  })

  test('that materializes a node without a data source', async () => {
    const [fault] = await faultsOf([{ name: 'none', sql: 'SELECT 1 AS x', role: materialized('of_nothing') }])
    expect(fault?.message).toContain('must read a data source')
  })
})

test.each([
  ['SELECT NULL AS nothing FROM events', 'nothing'],
  ['SELECT day AS c__error FROM events', 'is reserved'],
])('a pipe with a node whose data source cannot be created (%s) leaves nothing', async (sql, reason) => {
  const making = createPipe(scene.data, WORKSPACE, {
    name: 'half',
    nodes: [
      { name: 'possible', sql: 'SELECT day FROM events', role: materialized('half_made') },
      { name: 'impossible', sql, role: materialized('not_made') },
    ],
  })
  await expect(making).rejects.toMatchObject({
    errors: [{ path: 'nodes.1.sql', message: expect.stringMatching(`the node impossible: not_made.*${reason}`) }],
  })
  const { dataSources, pipes } = await scene.data.catalogue(WORKSPACE)
  expect([...dataSources, ...pipes].filter(({ name }) => /half|made/.test(name))).toEqual([])
})

test('a missing data source is created from the columns of its node, with a merging engine for aggregate states', async () => {
  await scene.pipe('per_category', [
    {
      name: 'joined',
      sql: 'SELECT day, category, amount FROM events JOIN products USING (product)',
    },
    {
      name: 'states',
      sql: 'SELECT day, category, sumState(amount) AS amount, countState() AS n FROM joined GROUP BY day, category',
      role: materialized('by_category'),
    },
  ])
  const { dataSources } = await scene.data.catalogue(WORKSPACE)
  expect(dataSources.find(({ name }) => name === 'by_category')).toMatchObject({
    engine: 'AggregatingMergeTree',
    columns: [
      { name: 'day' },
      { name: 'category' },
      { name: 'amount', type: 'AggregateFunction(sum, Float64)' },
      { name: 'n' },
    ],
  })
})

test('a data source created for a node with parameters has columns of their types', async () => {
  const copy = (into: string): NodeRole => ({ type: 'copy', into, mode: 'append', schedule: null })
  const sql = `SELECT {label:String} AS label, {share:Float32} * amount AS part, {at:DateTime64(3, 'UTC')} AS at, {ids:Array(UInt64)} AS ids
    FROM events WHERE amount > {least:Float64} AND product IN {products:Array(String)} AND day >= toDate({from:String})
    ORDER BY product LIMIT {n:UInt64}`
  await scene.pipe('labelled', [{ name: 'with_label', sql, role: copy('labels') }])
  const { dataSources } = await scene.data.catalogue(WORKSPACE)
  expect(dataSources.find(({ name }) => name === 'labels')?.columns.map(({ name, type }) => [name, type])).toEqual([
    ['label', 'String'],
    ['part', 'Float64'],
    ['at', "DateTime64(3, 'UTC')"],
    ['ids', 'Array(UInt64)'],
  ])
  await scene.run({ query: "SELECT toDate('2026-01-01') AS day, 'p' AS product, 2. AS amount", datasource: 'events' })
  const parameters = {
    ...{ label: "it's \\ “ü”\n", share: 0.5, at: '2026-01-01 00:00:00.5', ids: [1, 2], least: 1, products: ['p'] },
    ...{ from: '2025-01-01', n: 5 },
  }
  expect(await scene.run({ copy: { pipe: 'labelled', parameters } })).toMatchObject({
    status: 'completed',
    error: null,
  })
  expect(await scene.rows('SELECT * FROM labels')).toEqual([
    { label: parameters.label, part: 1, at: '2026-01-01 00:00:00.500', ids: ['1', '2'] },
  ])
})

test('a pipe that is refused because its target is being written leaves nothing', async () => {
  await scene.dataSource('written', { day: 'Date' })
  const lock = { workspace: WORKSPACE, holder: { callId: 'somebody', heldMs: 60_000 } }
  expect(await scene.store.lockTables({ ...lock, tables: ['written'] })).toEqual({ type: 'locked' })
  const nodes = ['written', 'unwritten'].map(into => ({
    name: `to_${into}`,
    sql: 'SELECT day FROM events',
    role: materialized(into),
  }))
  await expect(scene.pipe('busy', nodes)).rejects.toMatchObject({ code: 'data_busy' })
  const names = (await scene.data.catalogue(WORKSPACE)).dataSources.map(({ name }) => name)
  expect(names).not.toContain('unwritten')
  await scene.store.unlockTables(lock)
  await scene.pipe('busy', nodes)
})

test('a pipe saved while the data source it reads is being created reads it or is refused', async () => {
  for (let round = 0; round < 12; round++) {
    const name = `late_${round}`
    const sql = `SELECT day FROM events WHERE day NOT IN (SELECT day FROM ${name})`
    const made = scene.dataSource(name, { day: 'Date' })
    for (let waited = 0; waited < round; waited++) await new Promise(resolve => setTimeout(resolve, 10))
    const saved = scene.pipe(`reads_${name}`, [{ name: `node_${name}`, sql }]).then(
      () => true,
      error => {
        expect(error.code).toBe('invalid')
        return false
      },
    )
    await made
    if (!(await saved)) continue
    expect(pipesOf(await scene.data.catalogue(WORKSPACE), name).map(pipe => pipe.name)).toEqual([`reads_${name}`])
  }
})

test('pipes that are saved at once and create the same data source are all saved', async () => {
  for (let round = 0; round < 5; round++) {
    const into = `shared_${round}`
    const save = (number: number) =>
      scene.pipe(`sharing_${round}_${number}`, [
        { name: `shares_${round}_${number}`, sql: 'SELECT day FROM events', role: materialized(into) },
      ])
    const made = scene.dataSource(into, { day: 'Date' }).catch(error => expect(error.code).toBe('data_source_exists'))
    await Promise.all([save(0), save(1), save(2), made])
  }
})

test('states beside plain aggregate values get an engine that does not merge rows', async () => {
  const sql = 'SELECT day, countState() AS n, max(amount) AS most FROM events GROUP BY day'
  await scene.pipe('mixed', [
    { name: 'mixed_node', sql, role: materialized('mixed_states') },
    { name: 'mixed_below', sql: `WITH m AS (${sql}) SELECT * FROM m`, role: materialized('mixed_states_below') },
    { name: 'mixed_first', sql },
    { name: 'mixed_earlier', sql: 'SELECT * FROM mixed_first', role: materialized('mixed_states_earlier') },
    {
      name: 'unmixed',
      sql: 'SELECT day, countStateIf(amount > 1) AS n, maxSimpleState(amount) AS most FROM events GROUP BY day HAVING count() > 0',
      role: materialized('unmixed_states'),
    },
  ])
  const { dataSources } = await scene.data.catalogue(WORKSPACE)
  const engines = dataSources.filter(({ name }) => /mixed_states/.test(name)).map(({ name, engine }) => [name, engine])
  expect(Object.fromEntries(engines)).toEqual({
    mixed_states: 'MergeTree',
    mixed_states_below: 'MergeTree',
    mixed_states_earlier: 'MergeTree',
    unmixed_states: 'AggregatingMergeTree',
  })
})

test('a joined data source is read whole, and only rows appended to the first data source in FROM feed the node', async () => {
  const write = (query: string, datasource: string) => scene.run({ query, datasource })
  await write("SELECT 'p1' AS product, 'tools' AS category UNION ALL SELECT 'p2', 'toys'", 'products')
  const sale =
    "SELECT toDate('2026-11-01') AS day, 'p1' AS product, toFloat64(10) AS amount UNION ALL SELECT toDate('2026-11-01'), 'p2', 5."
  expect((await write(sale, 'events')).error).toBeNull()
  const sums = () =>
    scene.rows(
      'SELECT category, sumMerge(amount) AS amount, countMerge(n) AS n FROM by_category GROUP BY category ORDER BY category',
    )
  const once = [
    { category: 'tools', amount: 10, n: '1' },
    { category: 'toys', amount: 5, n: '1' },
  ]
  expect(await sums()).toEqual(once)
  await write("SELECT 'p3' AS product, 'tools' AS category", 'products')
  expect(await sums()).toEqual(once)
  await write(sale, 'events')
  expect(await sums()).toEqual([
    { category: 'tools', amount: 20, n: '2' },
    { category: 'toys', amount: 10, n: '2' },
  ])
})
