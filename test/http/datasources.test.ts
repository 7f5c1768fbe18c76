import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createQuarantineSql } from '../../src/data/tables/table-ddl.ts'
import { findDataSource } from '../../src/model/catalogue-graph.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { type Scenario, scenarios } from './scenario.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server?.stop())

/** An engine creates its folders before it starts. */
const engineWasStarted = (): boolean => existsSync(join(server.dataDir, 'warehouse/default/data'))

const make = async (body: Record<string, unknown>) => {
  const made = await server.call('POST', '/v1/datasources', body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return made.body
}

const sql = (text: string) => server.warehouse.command({ workspace: 'default', sql: text })

const VISITS = {
  name: 'visits',
  description: 'Who came',
  schema: [
    { name: 'day', type: 'Date' },
    { name: 'user id', type: 'UInt64', json_path: '$.user.id' },
    { name: 'page', type: 'LowCardinality(String)' },
  ],
  sorting_key: 'day, `user id`',
  partition_key: 'toYYYYMM(day)',
  ttl: 'day + toIntervalYear(1)',
}

describe('without any data source', () => {
  test('lists are empty and start no engine', async () => {
    expect((await server.call('GET', '/v1/datasources?count=true')).body).toEqual({
      datasources: [],
      next_cursor: null,
      count: 0,
    })
    expect((await server.call('GET', '/v1/pipes')).body).toEqual({ pipes: [], next_cursor: null })
    expect(await server.engine.copySchedules.sync('default')).toBe('done')
    expect(engineWasStarted()).toBe(false)
  })
})

describe('a data source', () => {
  test('is created from a schema, and shown as it was given', async () => {
    const made = await server.call('POST', '/v1/datasources', VISITS)
    expect(made.status).toBe(201)
    const { datasource_id: id } = made.body
    expect(id).toMatch(/^t_[0-9a-f]{32}$/)
    expect(made.headers.get('location')).toBe(`${server.url}/v1/datasources/${id}`)
    expect(made.body).toEqual({
      datasource_id: id,
      name: 'visits',
      description: 'Who came',
      schema: VISITS.schema.map(column => ({ json_path: null, ...column })),
      engine: 'MergeTree',
      sorting_key: 'day, `user id`',
      partition_key: 'toYYYYMM(day)',
      ttl: 'day + toIntervalYear(1)',
      format: null,
      row_count: 0,
      bytes: 0,
      quarantine_rows: 0,
      used_by: [],
      created_at: expect.any(String),
      updated_at: made.body.created_at,
    })
    for (const name of ['visits', id])
      expect((await server.call('GET', `/v1/datasources/${name}`)).body).toEqual(made.body)
    expect(engineWasStarted()).toBe(true)
  })

  test('can be created from a schema on one line', async () => {
    const { schema, engine } = await make({
      name: 'sums',
      schema: 'page String, n AggregateFunction(sum, UInt64)',
      engine: 'AggregatingMergeTree',
      sorting_key: 'page',
    })
    expect(engine).toBe('AggregatingMergeTree')
    expect(schema).toEqual([
      { name: 'page', type: 'String', json_path: null },
      { name: 'n', type: 'AggregateFunction(sum, UInt64)', json_path: null },
    ])
  })

  test('shows its rows, its bytes and the pipes that use it', async () => {
    await make({ name: 'counted', schema: 'n UInt8' })
    await sql('INSERT INTO live.counted SELECT number FROM numbers(100)')
    const pipe = { name: 'reads_counted', nodes: [{ name: 'all_rows', sql: 'SELECT n FROM counted' }] }
    expect((await server.call('POST', '/v1/pipes', pipe)).status).toBe(201)
    const { body } = await server.call('GET', '/v1/datasources/counted')
    expect(body).toMatchObject({ row_count: 100, quarantine_rows: 0, used_by: ['reads_counted'] })
    expect(body.bytes).toBeGreaterThan(0)
    const { body: refused } = await server.call('DELETE', '/v1/datasources/counted')
    expect(refused).toMatchObject({ code: 'data_source_in_use', detail: expect.stringContaining('reads_counted') })
  })

  test('is listed with all others, newest first, a page at a time', async () => {
    for (const name of ['first', 'second', 'third']) await make({ name, schema: 'n UInt8' })
    const names: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`
      const { body } = await server.call('GET', `/v1/datasources?limit=2&count=true${query}`)
      expect(body.count).toBe(6)
      names.push(...body.datasources.map((one: { name: string }) => one.name))
      cursor = body.next_cursor
    } while (cursor !== null)
    expect(names).toEqual(['third', 'second', 'first', 'counted', 'sums', 'visits'])
  })

  test('accepts more columns and another description, and its GET answer as a PUT', async () => {
    const before = await make({ name: 'grown', schema: 'n UInt8', description: 'small' })
    await sql('INSERT INTO live.grown VALUES (7)')
    const schema = [...before.schema, { name: 'text', type: 'String' }]
    const changed = await server.call('PUT', '/v1/datasources/grown', { ...before, schema, description: null })
    expect(changed.status, JSON.stringify(changed.body)).toBe(200)
    expect(changed.body).toMatchObject({
      description: null,
      schema: [{ name: 'n' }, { name: 'text', type: 'String', json_path: null }],
      row_count: 1,
    })
    const same = await server.call('PUT', '/v1/datasources/grown', changed.body)
    expect(same.body).toEqual({ ...changed.body, updated_at: expect.any(String) })
    const { body: rows } = await server.call('POST', '/v1/sql', { query: 'SELECT * FROM grown' })
    expect(rows).toEqual([{ n: 7, text: '' }])
    const described = await server.call('PUT', '/v1/datasources/grown', { description: 'only this' })
    expect(described.body).toMatchObject({ description: 'only this', schema: changed.body.schema })
  })

  test('loses its rows when it is truncated, and no longer exists when it is deleted', async () => {
    await make({ name: 'gone', schema: 'n UInt8' })
    await sql('INSERT INTO live.gone VALUES (1)')
    expect((await server.call('POST', '/v1/datasources/gone/truncate')).status).toBe(204)
    expect((await server.call('GET', '/v1/datasources/gone')).body.row_count).toBe(0)
    expect((await server.call('DELETE', '/v1/datasources/gone')).status).toBe(204)
    expect((await server.call('GET', '/v1/datasources/gone')).body.code).toBe('not_found')
    expect((await server.call('DELETE', '/v1/datasources/gone')).body.code).toBe('not_found')
    await make({ name: 'gone', schema: 'other String' })
  })

  test('that is being written can be neither truncated nor deleted', async () => {
    await make({ name: 'written', schema: 'n UInt8' })
    const holder = { callId: 'call', heldMs: 60_000 }
    await server.store.lockTables({ workspace: 'default', tables: ['written'], holder })
    for (const [method, path] of [
      ['POST', '/v1/datasources/written/truncate'],
      ['DELETE', '/v1/datasources/written'],
    ] as const) {
      const busy = await server.call(method, path)
      expect([busy.status, busy.body.code, busy.headers.get('retry-after')]).toEqual([409, 'data_busy', '1'])
    }
    await server.store.unlockTables({ workspace: 'default', holder })
    expect((await server.call('DELETE', '/v1/datasources/written')).status).toBe(204)
  })

  test('is created once by calls with the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'make-once' }
    const body = { name: 'once', schema: 'n UInt8' }
    const first = await server.call('POST', '/v1/datasources', body, headers)
    const again = await server.call('POST', '/v1/datasources', body, headers)
    expect(again.status).toBe(201)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
  })
})

test('a default that the engine cannot parse is refused without the statement that it was part of', async () => {
  const schema = [{ name: 'n', type: 'Array(UInt8)', default: '[1 2]' }]
  const { status, body } = await server.call('POST', '/v1/datasources', { name: 'wrong', schema })
  expect([status, body.errors[0].path]).toEqual([422, 'schema.0.default'])
  expect(body.detail).not.toMatch(/accurateCast|value|OUTFILE/)
})

const wrong = (name: string, json: Record<string, unknown>, fields: readonly string[]): Scenario => ({
  name,
  method: 'POST',
  path: '/v1/datasources',
  json: { name: 'wrong', schema: 'n UInt8', ...json },
  status: 422,
  code: 'invalid',
  fields,
})

describe('a wrong data source is refused with the field at fault', () => {
  scenarios(
    () => server,
    [
      wrong('a reserved name', { name: 'system' }, ['name']),
      wrong('the name of a quarantine', { name: 'a_quarantine' }, ['name']),
      wrong('an invalid name', { name: 'a-b' }, ['name']),
      wrong('no columns', { schema: [] }, ['schema']),
      wrong('a text that is no schema', { schema: 'n' }, ['schema']),
      wrong('a type with more behind it', { schema: [{ name: 'n', type: 'UInt8, x String' }] }, ['schema.0.type']),
      wrong('a type that does not exist', { schema: 'n Number' }, ['schema']),
      wrong('a name twice', { schema: 'n UInt8, n String' }, ['schema.1.name']),
      wrong('half a surrogate pair in a name', { schema: [{ name: '\ud800', type: 'UInt8' }] }, ['schema.0.name']),
      wrong('an invalid path', { schema: [{ name: 'n', type: 'UInt8', json_path: 'a.b' }] }, ['schema.0.json_path']),
      wrong('a default that does not parse', { schema: [{ name: 'n', type: 'UInt8', default: '1 +' }] }, [
        'schema.0.default',
      ]),
      wrong('a default that does not fit its type', { schema: [{ name: 'n', type: 'UInt8', default: '300' }] }, [
        'schema.0.default',
      ]),
      wrong(
        'a default that reads a column',
        {
          schema: [
            { name: 'm', type: 'UInt8' },
            { name: 'n', type: 'UInt8', default: 'm' },
          ],
        },
        ['schema.1.default'],
      ),
      wrong(
        'a default of a column that may be null',
        { schema: [{ name: 'n', type: 'Nullable(UInt8)', default: '1' }] },
        ['schema.0.default'],
      ),
      wrong('a default that is no literal', { schema: [{ name: 'n', type: 'DateTime', default: 'now()' }] }, [
        'schema.0.default',
      ]),
      wrong('an engine of another family', { engine: 'Log' }, ['engine']),
      wrong('a sorting key that does not parse', { sorting_key: 'n +' }, ['sorting_key']),
      wrong('a sorting key with a query', { sorting_key: '(SELECT 1)' }, ['sorting_key']),
      wrong(
        'a sorting key whose name the engine would print without quotes',
        { schema: 'n UInt8, `not` UInt8', sorting_key: '`not`' },
        ['schema'],
      ),
      wrong('a sorting key of no column', { sorting_key: 'm' }, ['schema']),
      wrong('a ttl of no time', { ttl: 'n' }, ['ttl']),
      wrong('a ttl of no column', { ttl: 'm + INTERVAL 1 DAY' }, ['ttl']),
      wrong('a ttl in a table that is wrong without it, too', { ttl: 'n', sorting_key: 'm' }, ['schema']),
      wrong('an unknown field', { columns: [] }, ['columns']),
      wrong('half a character in the description', { description: 'a\ud800' }, ['description']),
      {
        name: 'a column that is changed',
        method: 'PUT',
        path: '/v1/datasources/visits',
        json: { schema: [{ name: 'day', type: 'DateTime' }] },
        status: 422,
        fields: ['schema.0', 'schema.1', 'schema.2'],
      },
      {
        name: 'a default for a column that has none',
        method: 'PUT',
        path: '/v1/datasources/visits',
        json: { schema: [{ ...VISITS.schema[0], default: 'today()' }, ...VISITS.schema.slice(1)] },
        status: 422,
        fields: ['schema.0'],
      },
      {
        name: 'fields that cannot be changed',
        method: 'PUT',
        path: '/v1/datasources/visits',
        json: { name: 'other', engine: 'Log', sorting_key: null, partition_key: null },
        status: 422,
        fields: ['name', 'engine', 'sorting_key', 'partition_key'],
      },
      {
        name: 'a taken name',
        method: 'POST',
        path: '/v1/datasources',
        json: { name: 'visits', schema: 'n UInt8' },
        status: 409,
        code: 'data_source_exists',
      },
      { name: 'a missing data source', path: '/v1/datasources/nowhere', status: 404, code: 'not_found' },
      { name: 'an impossible name', path: '/v1/datasources/a-b', status: 404, code: 'not_found' },
      { name: 'an invalid cursor', path: '/v1/datasources?cursor=x', status: 422, code: 'invalid_cursor' },
      {
        name: 'an invalid cursor of the quarantine',
        path: '/v1/datasources/visits/quarantine?cursor=x',
        status: 422,
        code: 'invalid_cursor',
      },
      {
        name: 'a body that the call does not take',
        method: 'POST',
        path: '/v1/datasources/visits/truncate',
        json: { all: true },
        status: 422,
      },
    ],
  )
})

test('the maximum number of columns can all have names of maximum length', async () => {
  const schema = Array.from({ length: 500 }, (_, index) => ({
    name: `${index}`.padEnd(256, "'x"),
    type: 'Nullable(String)',
  }))
  expect(await server.call('POST', '/v1/datasources', { name: 'wide', schema })).toMatchObject({ status: 201 })
})

describe('the quarantine', () => {
  const path = '/v1/datasources/dirty/quarantine'
  const dataSource = async (name: string) =>
    findDataSource((await server.store.readCatalogue({ workspace: 'default' }))!, name)!
  const insert = (rows: string) => sql(`INSERT INTO live.dirty_quarantine ${rows}`)

  beforeAll(async () => {
    await make({ name: 'dirty', schema: 'n UInt8, `row` String' })
    await sql(createQuarantineSql('live', await dataSource('dirty'), Number.POSITIVE_INFINITY))
  })

  test('is empty without invalid rows, or without its table', async () => {
    for (const name of ['dirty', 'visits'])
      expect((await server.call('GET', `/v1/datasources/${name}/quarantine?count=true`)).body).toEqual({
        rows: [],
        next_cursor: null,
        count: 0,
      })
  })

  test('lists rows newest first, each once, even if many are equal', async () => {
    await insert("SELECT 'x', NULL, ['n'], ['no number'], 'job-1', '2026-11-01 00:00:00' FROM numbers(5)")
    await insert("SELECT toString(number), 'y', [], [], 'job-2', '2026-11-02 00:00:00' FROM numbers(5)")
    const rows: Record<string, unknown>[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`
      const { status, body } = await server.call('GET', `${path}?limit=3${query}`)
      expect(status, JSON.stringify(body)).toBe(200)
      expect(body.rows.length).toBeLessThanOrEqual(3)
      rows.push(...body.rows)
      cursor = body.next_cursor
    } while (cursor !== null)
    expect(rows).toHaveLength(10)
    expect(rows.map(row => row.c__import_id)).toEqual([...Array(5).fill('job-2'), ...Array(5).fill('job-1')])
    expect(
      rows
        .slice(0, 5)
        .map(row => row.n)
        .toSorted(),
    ).toEqual(['0', '1', '2', '3', '4'])
    expect(rows[9]).toEqual({
      n: 'x',
      row: null,
      c__error_column: ['n'],
      c__error: ['no number'],
      c__import_id: 'job-1',
      insertion_date: '2026-11-01T00:00:00.000Z',
    })
    expect((await server.call('GET', '/v1/datasources/dirty')).body.quarantine_rows).toBe(10)
  })

  test('returns only a few megabytes at once, but at least one row', async () => {
    await insert("SELECT repeat(repeat('z', 5000), 1000), NULL, [], [], 'job-3', '2026-11-03 00:00:00' FROM numbers(3)")
    const { body } = await server.call('GET', `${path}?limit=500`)
    expect(body.rows.map((row: { c__import_id: string }) => row.c__import_id)).toEqual(['job-3', 'job-3'])
    const next = await server.call('GET', `${path}?limit=500&cursor=${body.next_cursor}`)
    expect(next.body.rows).toHaveLength(11)
    expect(next.body.next_cursor).toBeNull()
  })

  test('loses the rows of one import, or all, while those of the data source stay', async () => {
    await sql("INSERT INTO live.dirty VALUES (1, 'stays')")
    const ids = async () =>
      new Set(
        (await server.call('GET', `${path}?limit=500`)).body.rows.map(
          (row: Record<string, unknown>) => row.c__import_id,
        ),
      )
    await sql('TRUNCATE TABLE live.dirty_quarantine')
    for (const job of ['job-1', 'job-2', "it's"])
      await insert(`SELECT 'x', NULL, [], [], '${job.replace("'", "\\'")}', now() FROM numbers(3)`)
    expect((await server.call('DELETE', `${path}?import_id=job-1`)).status).toBe(204)
    expect(await ids()).toEqual(new Set(['job-2', "it's"]))
    expect((await server.call('DELETE', `${path}?import_id=it's`)).status).toBe(204)
    expect((await server.call('DELETE', `${path}?import_id=nobody`)).status).toBe(204)
    expect(await ids()).toEqual(new Set(['job-2']))
    expect((await server.call('DELETE', path)).status).toBe(204)
    expect((await server.call('GET', '/v1/datasources/dirty')).body).toMatchObject({ row_count: 1, quarantine_rows: 0 })
    expect((await server.call('DELETE', path)).status).toBe(204)
  })

  test('is not emptied while the data source is written, and need not exist', async () => {
    const holder = { callId: 'call', heldMs: 60_000 }
    await server.store.lockTables({ workspace: 'default', tables: ['dirty'], holder })
    expect(await server.call('DELETE', path)).toMatchObject({ status: 409, body: { code: 'data_busy' } })
    await server.store.unlockTables({ workspace: 'default', holder })
    for (const query of ['', '?import_id=job-1'])
      expect((await server.call('DELETE', `/v1/datasources/visits/quarantine${query}`)).status).toBe(204)
    expect((await server.call('DELETE', '/v1/datasources/nowhere/quarantine')).status).toBe(404)
  })

  test('is emptied when the data source is truncated', async () => {
    expect((await server.call('POST', '/v1/datasources/dirty/truncate')).status).toBe(204)
    expect((await server.call('GET', path)).body.rows).toEqual([])
  })
})

describe('jobs', () => {
  test('are listed by the data source they write and the pipe they run', async () => {
    await make({ name: 'filled', schema: 'n UInt8' })
    const job = await server.run({ query: 'SELECT 1 AS n', datasource: 'filled', mode: 'append' })
    expect(job.status, JSON.stringify(job.error)).toBe('completed')
    await server.run({ query: 'SELECT 1 AS n' })
    const ids = async (query: string) =>
      (await server.call('GET', `/v1/jobs?${query}`)).body.jobs.map((one: { job_id: string }) => one.job_id)
    expect(await ids('datasource=filled')).toEqual([job.job_id])
    expect(await ids('datasource=other')).toEqual([])
    expect(await ids('pipe=reads_counted')).toEqual([])
  })
})
