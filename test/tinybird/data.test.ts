import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type DataScene, materialized, openDataScene } from '../data/scene.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape; what a test reads of them, it asserts
type Json = any

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene()
  await scene.dataSource('facts', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)', sortingKey: 'day' })
  await fill('facts')
  await scene.dataSource('days', { day: 'Date', n: 'UInt64' })
  await scene.pipe('per_day', [
    { name: 'plain', sql: 'SELECT * FROM facts' },
    { name: 'daily', sql: 'SELECT day, sum(n) AS n FROM plain GROUP BY day', role: materialized('days') },
  ])
  await scene.dataSource('copies', { day: 'Date', n: 'UInt64' })
  await scene.pipe('snapshot', [
    {
      name: 'now',
      sql: 'SELECT day, n FROM facts WHERE n < {most:UInt64}',
      role: { type: 'copy', into: 'copies', mode: 'append', schedule: null },
    },
  ])
})
afterAll(() => scene?.stop())

const ROWS = 90
const fill = (datasource: string) =>
  scene.run({
    query: `SELECT toDate('2026-01-01') + number AS day, number AS n FROM numbers(${ROWS})`,
    datasource,
    mode: 'replace',
  })

const count = async (name: string) => Number(await scene.value(`SELECT count() FROM ${name}`))
const form = (fields: Record<string, string>) => String(new URLSearchParams(fields))
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** A POST with a body that is sent as it is. */
const post = async (path: string, body: string, headers: Record<string, string> = FORM) => {
  const response = await fetch(scene.url + path, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${scene.token}`, ...headers },
  })
  return { status: response.status, body: (await response.json()) as Json }
}

/** The job of an answer once it has ended. */
const ended = async ({ status, body }: { status: number; body: { job_id: string } }) => {
  expect(status, JSON.stringify(body)).toBe(200)
  await scene.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
  return (await scene.call('GET', `/v0/jobs/${body.job_id}`)).body
}

describe('data sources', () => {
  test('are listed with what is in them', async () => {
    const { body } = await scene.call('GET', '/v0/datasources')
    const facts = body.datasources.find((one: { name: string }) => one.name === 'facts')
    expect(facts).toMatchObject({
      id: expect.stringMatching(/^t_[0-9a-f]{32}$/),
      statistics: { row_count: ROWS, bytes: expect.any(Number) },
      engine: { engine: 'MergeTree', partition_key: 'toYYYYMM(day)', sorting_key: 'day' },
      used_by: [
        { id: expect.stringMatching(/^t_/), name: 'per_day' },
        { id: expect.stringMatching(/^t_/), name: 'snapshot' },
      ],
    })
  })

  test('are found by name and by id, with their columns', async () => {
    const byName = await scene.call('GET', '/v0/datasources/facts/')
    expect(byName.body.columns).toMatchObject([
      { name: 'day', type: 'Date', nullable: false },
      { name: 'n', type: 'UInt64', nullable: false },
    ])
    expect((await scene.call('GET', `/tinybird/v0/datasources/${byName.body.id}`)).body).toEqual(byName.body)
    const missing = await scene.call('GET', '/v0/datasources/nowhere')
    expect([missing.status, missing.body.error]).toEqual([404, 'There is no data source nowhere.'])
  })

  test('are made of a schema, and dropped', async () => {
    const path = `/v0/datasources?${form({ name: 'made', schema: 'id Int32, `user` Nullable(String) `json:$.user.name`' })}`
    const made = await scene.call('POST', path)
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    expect(made.body.datasource).toMatchObject({
      name: 'made',
      columns: [
        { name: 'id', type: 'Int32' },
        { name: 'user', type: 'Nullable(String)', nullable: true, jsonpath: '$.user.name' },
      ],
    })
    expect((await scene.call('POST', path)).status).toBe(409)
    expect((await scene.call('POST', '/v0/datasources?name=other&schema=nonsense')).status).toBe(400)
    expect((await scene.call('DELETE', '/v0/datasources/made')).status).toBe(204)
    expect((await scene.call('GET', '/v0/datasources/made')).status).toBe(404)
    expect((await scene.call('DELETE', '/v0/datasources/facts')).status).toBe(409)
  })

  test('lose rows by a condition in a form, in JSON or in the query; a dry run counts them first', async () => {
    const path = '/v0/datasources/copies/delete'
    await fill('copies')
    const dry = await post(path, form({ delete_condition: 'n < 10', dry_run: 'true' }))
    expect(dry.body).toMatchObject({ status: 'done', rows_to_be_deleted: 10 })
    expect(await count('copies')).toBe(ROWS)
    const started = await post(path, form({ delete_condition: 'n < 10' }))
    expect(started.body).toMatchObject({
      kind: 'delete_data',
      status: 'waiting',
      error: false,
      delete_id: started.body.id,
      job: { kind: 'delete_data', id: started.body.id, delete_condition: 'n < 10' },
    })
    expect(await ended(started)).toMatchObject({ status: 'done', rows_affected: 10, delete_condition: 'n < 10' })
    expect(await ended(await scene.call('POST', path, { delete_condition: 'n < 20' }))).toMatchObject({
      rows_affected: 10,
    })
    expect(await ended(await scene.call('POST', `${path}?delete_condition=n+%3C+30`))).toMatchObject({
      rows_affected: 10,
    })
    expect(await count('copies')).toBe(ROWS - 30)
  })

  test.each([
    ['prodct = 1', /^Unknown expression( or function)? identifier `prodct`/],
    ['n <', /^Syntax error/],
    ['1 IN (SELECT 1)', /./],
  ])('a dry run of a delete with the wrong condition %s is refused as the delete fails', async (condition, message) => {
    const path = '/v0/datasources/copies/delete'
    const dry = await post(path, form({ delete_condition: condition, dry_run: 'true' }))
    expect([dry.status, dry.body.code, dry.body.error]).toEqual([400, 'sql_error', expect.stringMatching(message)])
    expect(await ended(await post(path, form({ delete_condition: condition })))).toMatchObject({
      status: 'error',
      error: dry.body.error,
    })
  })

  test('are shown in a job as changed when it has changed their rows', async () => {
    await fill('copies')
    const path = '/v0/datasources/copies/delete'
    const { body: before } = await scene.call('GET', '/v0/datasources/copies')
    const dry = await ended(await post(path, form({ delete_condition: 'n < 10', dry_run: 'true' })))
    expect(dry.datasource.updated_at).toBe(before.updated_at)
    const done = await ended(await post(path, form({ delete_condition: 'n < 10' })))
    expect(done.datasource.updated_at).toBe(done.updated_at)
    expect(done.updated_at > before.updated_at).toBe(true)
  })

  test('are emptied', async () => {
    await fill('copies')
    const answer = await scene.call('POST', '/v0/datasources/copies/truncate')
    expect([answer.status, answer.body.statistics.row_count]).toEqual([200, 0])
    expect(await count('copies')).toBe(0)
  })
})

describe('pipes', () => {
  test('are listed, and found by name and by id', async () => {
    const { body: list } = await scene.call('GET', '/v0/pipes')
    const pipes = new Map(list.pipes.map((one: { name: string; type: string }) => [one.name, one]))
    const pipe = pipes.get('per_day') as Json
    expect([pipe.type, pipes.get('snapshot')]).toEqual(['materialized', expect.objectContaining({ type: 'copy' })])
    expect((await scene.call('GET', '/v0/pipes/per_day')).body).toEqual(pipe)
    expect((await scene.call('GET', `/v0/pipes/${pipe.id}/`)).body).toEqual(pipe)
    expect(pipe.nodes).toMatchObject([
      { name: 'plain', node_type: 'standard', materialized: null, dependencies: ['facts'] },
      { name: 'daily', node_type: 'materialized', materialized: expect.stringMatching(/^t_/), dependencies: ['plain'] },
    ])
  })

  test('fill a materialized node from all history', async () => {
    const started = await scene.call('POST', '/v0/pipes/per_day/nodes/daily/population?truncate=true')
    expect(started.body).toMatchObject({
      kind: 'populateview',
      status: 'waiting',
      error: false,
      populateview_id: started.body.id,
      pipe_name: 'per_day',
      datasource: { name: 'days' },
      queries: [],
      job: { status: 'waiting', job_id: started.body.id },
    })
    expect(await ended(started)).toMatchObject({
      status: 'done',
      progress_percentage: 100,
      queries: Array(3).fill({ query_id: expect.any(String), status: 'done' }),
      statistics: { row_count: ROWS },
    })
    const some = await post(
      '/v0/pipes/per_day/nodes/daily/population',
      form({ populate_condition: 'n < 5', truncate: 'true' }),
    )
    expect(await ended(some)).toMatchObject({ status: 'done', statistics: { row_count: 5 } })
    const subset = await scene.call('POST', '/v0/pipes/per_day/nodes/daily/population', {
      populate_subset: 0.1,
      truncate: true,
      unlink_on_populate_error: false,
    })
    expect((await ended(subset)).statistics.row_count).toBeLessThan(ROWS)
  })

  test('fill a node from a source without rows: all of nothing is done', async () => {
    await scene.dataSource('empty', { day: 'Date' })
    await scene.pipe('of_empty', [{ name: 'one', sql: 'SELECT day FROM empty', role: materialized('of_nothing') }])
    const job = await ended(await scene.call('POST', '/v0/pipes/of_empty/nodes/one/population'))
    expect(job).toMatchObject({ status: 'done', queries: [], query_id: null, progress_percentage: 100 })
    expect((await scene.call('DELETE', '/v1/pipes/of_empty')).status).toBe(204)
  })

  test('are copied, with parameters for their SQL', async () => {
    await scene.call('POST', '/v0/datasources/copies/truncate')
    const started = await scene.call('POST', '/v0/pipes/snapshot/copy?most=7')
    expect(started.body.job).toMatchObject({ kind: 'copy', status: 'waiting', datasource: { name: 'copies' } })
    expect(await ended(started)).toMatchObject({ status: 'done', statistics: { row_count: 7 } })
    expect(await ended(await post('/v0/pipes/snapshot/copy', form({ most: '3' })))).toMatchObject({
      statistics: { row_count: 10 },
    })
    const replaced = await scene.call('POST', '/v0/pipes/snapshot/copy?_mode=replace', { most: 4 })
    expect(await ended(replaced)).toMatchObject({ mode: 'replace', statistics: { row_count: 4 } })
  })

  test.each([
    ['POST', '/v0/pipes/nowhere/copy', 404],
    ['POST', '/v0/pipes/per_day/copy', 400],
    ['POST', '/v0/pipes/snapshot/copy?_mode=both', 400],
    ['POST', '/v0/pipes/snapshot/copy?_execution_type=manual', 400],
    ['POST', '/v0/pipes/snapshot/copy?a-b=1', 400],
    ['POST', '/v0/pipes/snapshot/copy?most=1&mode=replace', 400],
    ['POST', '/v0/pipes/snapshot/copy?most=1&other=1', 400],
    ['POST', '/v0/pipes/snapshot/copy/pause', 400],
    ['POST', '/v0/pipes/nowhere/nodes/daily/population', 404],
    ['POST', '/v0/pipes/per_day/nodes/nowhere/population', 404],
    ['POST', '/v0/pipes/per_day/nodes/plain/population', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?populate_subset=0.5', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?populate_subset=half', 400],
    ['POST', '/v0/pipes/per_day/nodes/daily/population?unlink_on_populate_error=true', 400],
    ['POST', '/v0/datasources/nowhere/delete?delete_condition=1', 404],
    ['POST', '/v0/datasources/facts/delete', 400],
    ['POST', '/v0/datasources/facts/delete?delete_condition=1&delete_condition=2', 400],
    ['POST', '/v0/datasources/facts/delete?delete_condition=1&dry_run=perhaps', 400],
    ['POST', '/v0/datasources', 400],
    ['POST', '/v0/datasources?url=nonsense&name=x', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&mode=append', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&mode=append&name=nowhere', 404],
    ['POST', '/v0/datasources?url=https://example.com/facts.csv', 409],
    ['POST', '/v0/datasources?url=https://example.com/&mode=create', 400],
    ['POST', '/v0/datasources?url=https://example.com/a.csv&format=xml', 400],
    ['PUT', '/v0/pipes/snapshot', 405],
    ['DELETE', '/tinybird/v0/jobs', 405],
    ['POST', '/v0/jobs/x/y/z', 404],
    ['GET', '/tinybird/v0/nothing/', 404],
    ['GET', '/v0/sql', 400],
    ['GET', '/v0/sql?q=SELECT', 400],
    ['GET', '/v0/sql?q=SELECT+1+FORMAT+CSV', 400],
    ['GET', '/v0/sql?q=DROP+TABLE+facts', 400],
  ])('%s %s is %i, and says why', async (method, path, status) => {
    const answer = await scene.call(method, path)
    expect([answer.status, answer.body.error], JSON.stringify(answer.body)).toEqual([status, expect.any(String)])
    expect(answer.body.documentation).toBe(`${scene.url}/docs`)
  })

  test.each([
    ['/v0/datasources?name=1x&url=https://example.com/a.csv', /^name: must be letters, digits/],
    ['/v0/datasources?name=x&url=htp://a/b.csv', /^url: must be a URL of/],
    ['/v0/datasources?name=x&url=https://example.com/a.csv&dialect_delimiter=ab', /^dialect_delimiter: /],
    ['/v0/datasources/facts/delete', /^delete_condition: is required/],
    ['/v0/pipes/per_day/nodes/daily/population?populate_subset=2', /^populate_subset: must be <= 0.1/],
    ['/v0/sql?query=SELECT+1', /^query: is not a known parameter; there is q$/],
    [
      '/v0/datasources/facts/delete?condition=1',
      /^condition: is not a known parameter; there are delete_condition, dry_/,
    ],
  ])('call what is wrong by the names of this API: %s', async (path, message) => {
    const { status, body } = await scene.call('POST', path)
    expect([status, body.error]).toEqual([400, expect.stringMatching(message)])
  })

  test('tell rows that are sent as a form from parameters', async () => {
    for (const rows of ['day,n\n2026-01-01,1\n', '{"day":"2026-01-01","n":1}'])
      expect((await post('/v0/datasources?name=rows', rows)).body.error).toMatch(
        /^The body is sent as a form, and looks like rows: .*text\/csv/,
      )
  })

  test('say 403 to a token that may only read', async () => {
    const { body } = await scene.call('POST', '/v1/tokens', { name: 'reader', role: 'reader' })
    const reader = { authorization: `Bearer ${body.token}` }
    for (const path of [
      '/v0/pipes/snapshot/copy',
      '/v0/pipes/per_day/nodes/daily/population',
      '/v0/datasources/facts/delete',
      '/v0/datasources/facts/truncate',
      '/v0/datasources?name=new&schema=a+Int32',
      '/v0/sql?q=SELECT+1',
    ]) {
      const answer = await scene.call('POST', path, undefined, reader)
      expect([path, answer.status, answer.body.error]).toEqual([path, 403, expect.stringContaining('lacks the scope')])
    }
    expect(await count('facts')).toBe(ROWS)
  })
})

test('the schedule of a copy is paused and resumed', async () => {
  await scene.dataSource('hours', { n: 'UInt64' })
  const made = await scene.call('POST', '/v1/pipes', {
    name: 'scheduled',
    nodes: [
      {
        name: 'hourly',
        sql: 'SELECT n FROM hours',
        copy_into: 'hours_copied',
        schedule: { intervals: [{ every: '1h' }] },
      },
    ],
  })
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  const state = async () => (await scene.call('GET', '/v1/workflows/copy%20scheduled.hourly')).body.state
  expect(await state()).toBe('active')
  expect((await scene.call('POST', '/v0/pipes/scheduled/copy/pause')).status).toBe(200)
  expect(await state()).toBe('paused')
  expect((await scene.call('POST', '/tinybird/v0/pipes/scheduled/copy/resume/')).status).toBe(200)
  expect(await state()).toBe('active')
})

describe('SQL', () => {
  test('is answered at once, whether or not it names its format', async () => {
    const expected = { data: [{ rows: String(ROWS) }], rows: 1 }
    const sql = 'SELECT count() AS rows FROM facts'
    expect((await scene.call('GET', `/v0/sql?${form({ q: `${sql} FORMAT JSON` })}`)).body).toEqual(expected)
    expect((await scene.call('POST', '/v0/sql', { q: sql })).body).toEqual(expected)
    expect((await post('/v0/sql/', form({ q: `${sql}\nformat json;\n` }))).body).toEqual(expected)
    expect((await scene.call('GET', `/v0/sql?${form({ q: "SELECT 'a FORMAT JSON' AS x" })}`)).body.data).toEqual([
      { x: 'a FORMAT JSON' },
    ])
    expect((await scene.call('GET', '/v0/sql?q=SELECT+day+FROM+per_day+LIMIT+2')).body.rows).toBe(2)
    const log = await scene.call('GET', `/v0/sql?${form({ q: 'SELECT job_id FROM tinybird.jobs_log LIMIT 1' })}`)
    expect([log.status, log.body.rows], JSON.stringify(log.body)).toEqual([200, 1])
  })
})

test('a key makes a repeated form one job', async () => {
  const again = (body: string) => post('/v0/datasources/facts/delete', body, { ...FORM, 'idempotency-key': 'once' })
  const one = await again(form({ delete_condition: 'n > 1000' }))
  expect((await again(form({ delete_condition: 'n > 1000' }))).body.job_id).toBe(one.body.job_id)
  expect((await again(form({ delete_condition: 'n > 2000' }))).status).toBe(409)
})

test('nothing that is sent is a fault of the server', async () => {
  // What is taken of it changes rows, when nobody waits for it any more.
  await scene.dataSource('odd', { n: 'UInt64' })
  const sql = 'SELECT n FROM odd'
  await scene.pipe('odd_feed', [{ name: 'feed', sql, role: materialized('odd_fed') }])
  const role = { type: 'copy', into: 'odd_copied', mode: 'append', schedule: null } as const
  await scene.pipe('odd_copy', [{ name: 'copy', sql: `${sql} WHERE n < {most:UInt64}`, role }])
  const path = fc.constantFrom(
    ...['/v0/jobs', '/v0/jobs/x/cancel', '/v0/datasources', '/v0/datasources/odd/delete', '/v0/sql'],
    ...['/v0/pipes/odd_feed/nodes/feed/population', '/v0/pipes/odd_copy/copy', '/v0/pipes/nowhere'],
  )
  const name = fc.constantFrom(
    ...['kind', 'status', 'pipe_id', 'pipe_name', 'created_after', 'created_before', 'delete_condition', 'dry_run'],
    ...['populate_subset', 'truncate', '_mode', 'most', 'q', 'schema', 'mode', 'format', '__proto__', 'constructor'],
  )
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'import',
      'done',
      '1',
      'true',
      '-271821-04-20',
      '0000-01-01',
      '9999-12-31T23:59:59Z',
      '{',
      "'",
      'a b',
    ),
  )
  const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 })
  const type = fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'text/plain')
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.constantFrom('GET', 'POST'),
      pairs,
      pairs,
      type,
      async (to, method, query, body, kind) => {
        const response = await fetch(`${scene.url}${to}?${new URLSearchParams(query)}`, {
          method,
          headers: { authorization: `Bearer ${scene.token}`, ...(method === 'POST' && { 'content-type': kind }) },
          ...(method === 'POST' && {
            body:
              kind === 'application/json'
                ? JSON.stringify(Object.fromEntries(body))
                : String(new URLSearchParams(body)),
          }),
        })
        const text = await response.text()
        expect(response.status, `${method} ${to} ${text}`).toBeLessThan(500)
      },
    ),
    { numRuns: 150 },
  )
})

test.each(['%', '%zz=%00&%ff', '&&&=', 'a'.repeat(100_000), '='.repeat(1000), '\u0000', '__proto__=1'])(
  'a form that is odd is refused: %#',
  async body => {
    for (const path of ['/v0/datasources/facts/delete', '/v0/pipes/snapshot/copy', '/v0/sql', '/v0/datasources']) {
      const answer = await post(path, body)
      expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true])
    }
    for (const odd of ['null', '[]', '1', '"x"', '{"q":{"a":1}}', '{"delete_condition":["1"]}']) {
      const answer = await post('/v0/datasources/facts/delete', odd, { 'content-type': 'application/json' })
      expect(answer.status).toBe(400)
    }
  },
)
