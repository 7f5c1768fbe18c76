import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { millisecondsAtOnce } from '../at-once.ts'
import { startTestServer, type TestServer } from '../server.ts'

const MEBIBYTE = 2 ** 20
/** Reads endlessly, and writes nothing before. */
const ENDLESS = 'SELECT count() FROM numbers(1000000000000000) WHERE NOT ignore(number)'
/** Writes endlessly. */
const ENDLESS_ROWS = 'SELECT number, toString(number) AS text FROM numbers(1000000000000000)'

let server: TestServer
/** Added to the time of day of the server. */
let hoursLater = 0
beforeAll(async () => {
  server = await startTestServer({
    settings: { 'max-workers': '8', 'max-result-bytes': `${4 * MEBIBYTE}`, 'query-memory': '100MB' },
    clock: { ...systemClock, now: () => Date.now() + hoursLater * 3_600_000 },
  })
  await server.warehouse.command({
    workspace: 'default',
    sql: 'CREATE TABLE events (id UInt64, day Date, name String) ENGINE = MergeTree ORDER BY id',
  })
  await server.warehouse.command({
    workspace: 'default',
    sql: `INSERT INTO events SELECT number, toDate('2026-11-01') + number % 10, concat('event ', toString(number)) FROM numbers(50000)`,
  })
})
afterAll(() => server?.stop())

const post = async (body: Record<string, unknown>): Promise<string> => {
  const { status, body: answer } = await server.call('POST', '/v1/jobs', body)
  expect(status).toBe(201)
  return answer.job_id
}
const get = async (id: string, wait = 0) => (await server.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body
const rowsOf = async (job: { job_id: string }) => (await server.call('GET', `/v1/jobs/${job.job_id}/result`)).body

/** Users' statements that the engine is running. */
const running = async (): Promise<number> => {
  const rows = await server.warehouse.rows<{ query: string }>({
    workspace: 'default',
    sql: `SELECT query FROM system.processes WHERE query LIKE '%1000000000000000%' AND query NOT LIKE '%system.processes%'`,
  })
  return rows.length
}
const untilIdle = () => expect.poll(running, { timeout: 10_000 }).toBe(0)

/** Blobs, unfinished ones, and results that are not blobs yet. */
const blobFiles = (): number =>
  ['blobs', 'warehouse/default/spool']
    .flatMap(folder => readdirSync(join(server.dataDir, folder), { recursive: true, withFileTypes: true }))
    .filter(file => file.isFile()).length

describe('a query', () => {
  test('reads the tables of the workspace and has statistics', async () => {
    const job = await server.run({
      query: 'SELECT day, count() AS events FROM events GROUP BY day ORDER BY day',
      format: 'json',
    })
    expect(job).toMatchObject({ kind: 'query', status: 'completed', exit_code: null, error: null })
    expect(job.statistics).toMatchObject({ row_count: 10, bytes: job.result.bytes, elapsed_ms: expect.any(Number) })
    expect(job.statistics).toMatchObject({ rows_read: 50_000, bytes_read: 100_000 })
    expect((await rowsOf(job))[0]).toEqual({ day: '2026-11-01', events: '5000' })
  })

  test('takes parameters as values, never as SQL', async () => {
    const query = 'SELECT count() AS found FROM events WHERE name = {name:String} AND day IN {days:Array(Date)}'
    const found = async (name: string) => {
      const parameters = { name, days: ['2026-11-01', '2026-11-02'] }
      return rowsOf(await server.run({ query, parameters, format: 'json' }))
    }
    expect(await found('event 1')).toEqual([{ found: '1' }])
    expect(await found("event 1' OR 1 = 1 --")).toEqual([{ found: '0' }])
    expect(await found('a\tb\\N\n')).toEqual([{ found: '0' }])
  })

  test.each([
    ['is missing', {}, /day/],
    ['does not fit its type', { day: 'soon' }, /day/],
  ])('fails when a parameter %s', async (_, parameters, message) => {
    const job = await server.run({ query: 'SELECT count() FROM events WHERE day = {day:Date}', parameters })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'sql_error' })
    expect(job.error.message).toMatch(message)
  })

  test('that is rerun is a new job with the same parameters', async () => {
    const body = { query: 'SELECT {n:UInt8} AS n', parameters: { n: 7 }, format: 'ndjson' }
    const first = await server.run(body)
    const { status, body: again } = await server.call('POST', `/v1/jobs/${first.job_id}/rerun`)
    expect(status).toBe(201)
    const second = await get(again.job_id, 30)
    expect(second).toMatchObject({ status: 'completed', rerun_of: first.job_id, spec: body })
    expect(second.result.sha256).toBe(first.result.sha256)
  })

  test('reports its progress', async () => {
    const id = await post({ query: ENDLESS })
    try {
      await expect.poll(async () => (await get(id)).progress, { timeout: 20_000 }).not.toBeNull()
      const { progress } = await get(id)
      expect(progress.message).toMatch(/^[\d,]+ of 1,000,000,000,000,000 rows$/)
      expect(progress.percentage).toBe(0)
    } finally {
      await server.call('DELETE', `/v1/jobs/${id}`)
    }
    expect((await get(id, 30)).status).toBe('cancelled')
    await untilIdle()
  })

  test.each([
    ['SELECT sum(id) FROM events', 50_000, 400_000],
    ['SELECT max(id) FROM numbers(1000) AS n INNER JOIN events ON id = number', 51_000, 408_000],
    ['SELECT sum(number) FROM numbers(3) WHERE number IN (SELECT id FROM events)', 50_003, 400_024],
    // The answer is in the metadata of the table.
    ['SELECT count() FROM events', 1, 16],
    ['SELECT 1', 1, 1],
  ])('that runs alone counts everything it has read, however short: %s', async (query, rows, bytes) => {
    // Nothing of the previous job is left to do.
    await untilIdle()
    const { statistics } = await server.run({ query })
    expect(statistics).toMatchObject({ rows_read: rows, bytes_read: bytes })
  })

  test('beside others counts no more than it has read, and no less than it returns', async () => {
    const reads = 'SELECT id FROM events'
    const jobs = await Promise.all(Array.from({ length: 8 }, () => server.run({ query: reads })))
    for (const { statistics } of jobs) expect(statistics.rows_read).toBe(50_000)
    const sums = await Promise.all(Array.from({ length: 8 }, () => server.run({ query: 'SELECT sum(id) FROM events' })))
    for (const { statistics } of sums) {
      expect(statistics.rows_read).toBeGreaterThanOrEqual(1)
      expect(statistics.rows_read).toBeLessThanOrEqual(50_000)
    }
  })

  test('that runs longer counts what it has read', async () => {
    const query = 'SELECT count() FROM numbers(250000) WHERE sleep(1) = 0'
    const job = await server.run({ query })
    expect(job).toMatchObject({ status: 'completed', statistics: { row_count: 1 } })
    expect(job.statistics.rows_read).toBeGreaterThan(50_000)
    expect(job.statistics.bytes_read).toBeGreaterThan(400_000)
  })

  test('has a result until it expires', async () => {
    const job = await server.run({ query: 'SELECT 1 AS one', format: 'json' })
    expect(Date.parse(job.result.expires_at) - Date.parse(job.finished_at)).toBe(24 * 3_600_000)
    expect(await rowsOf(job)).toEqual([{ one: 1 }])
    hoursLater = 25
    const late = await server.call('GET', `/v1/jobs/${job.job_id}/result`)
    hoursLater = 0
    expect([late.status, late.body.code]).toEqual([410, 'result_expired'])
  })

  test('runs beside seven others', async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, () => post({ query: 'SELECT sleep(3)' })))
    const jobs = await Promise.all(ids.map(id => get(id, 60)))
    expect(jobs.map(job => job.status)).toEqual(Array(8).fill('completed'))
    const lastStart = Math.max(...jobs.map(job => Date.parse(job.started_at)))
    const firstEnd = Math.min(...jobs.map(job => Date.parse(job.finished_at)))
    expect(lastStart).toBeLessThan(firstEnd)
  })
})

describe('a query is refused', () => {
  test.each([
    ['that does not parse, with the position', 'SELEC 1', /Syntax error.*position 7/],
    ['of an unknown table, with its name', 'SELECT * FROM nowhere', /nowhere/],
    ['of an unknown column, with its name', 'SELECT nothing FROM events', /nothing/],
    ['with a type error', "SELECT 1 + 'a'", /type/],
    ['that is not a SELECT', 'DROP TABLE events', /SELECT/],
    ['of two statements', 'SELECT 1; SELECT 2', /./],
    ['of a file', "SELECT * FROM file('/etc/passwd')", /file/],
  ])('%s', async (_, query, message) => {
    const job = await server.run({ query })
    expect(job).toMatchObject({
      status: 'failed',
      status_reason: 'sql_error',
      error: { code: 'sql_error' },
      attempt: 1,
    })
    expect(job.error.message).toMatch(message)
    expect(job.result).toBeNull()
    expect((await server.call('GET', `/v1/jobs/${job.job_id}/result`)).status).toBe(404)
  })

  test.each(['csv', 'json', 'ndjson', 'arrow', 'parquet'] as const)(
    'half-way through its rows, as %s',
    async format => {
      const before = blobFiles()
      const query = "SELECT number, if(number < 150000, '1', 'x')::UInt8 AS value FROM numbers(200000)"
      const job = await server.run({ query, format })
      expect(job).toMatchObject({ status: 'failed', status_reason: 'sql_error', result: null })
      expect(job.error.message).toMatch(/Cannot parse/)
      expect(blobFiles()).toBe(before)
    },
  )

  test('for a result over the limit, which leaves nothing and stops reading', async () => {
    const before = blobFiles()
    const job = await server.run({ query: ENDLESS_ROWS, format: 'csv' })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'result_too_large', attempt: 1, result: null })
    expect(job.error.message).toContain(`${4 * MEBIBYTE} bytes`)
    expect(blobFiles()).toBe(before)
    await untilIdle()
  })

  test('for the memory it needs', async () => {
    const job = await server.run({ query: 'SELECT length(groupArray(toString(number))) FROM numbers(50000000)' })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'query_memory', attempt: 1 })
    expect(await rowsOf(await server.run({ query: 'SELECT 1 AS one', format: 'json' }))).toEqual([{ one: 1 }])
  })

  test.each([
    ['no query', { query: '' }, 'query'],
    ['an unknown format', { query: 'SELECT 1', format: 'xlsx' }, 'format'],
    ['parameters that are a list', { query: 'SELECT 1', parameters: [1] }, 'parameters'],
    ['a parameter of an impossible name', { query: 'SELECT 1', parameters: { 'a-b': 1 } }, 'parameters'],
    ['a field of another kind', { query: 'SELECT 1', stdin: 'x' }, 'stdin'],
  ])('before it becomes a job: %s', async (_, body, path) => {
    const { status, body: answer } = await server.call('POST', '/v1/jobs', body)
    expect([status, answer.code]).toEqual([422, 'invalid'])
    expect(answer.errors[0].path).toMatch(new RegExp(`^${path}`))
  })
})

describe('a query is stopped', () => {
  test.each([
    ['that reads', ENDLESS],
    ['that sleeps', 'SELECT count() FROM numbers(1000000000000000) WHERE sleep(1) = 0'],
  ])('by a cancel within a second, for a query %s', async (_, query) => {
    const atOnce = await millisecondsAtOnce(() => server.run({ query: 'SELECT 1' }))
    const id = await post({ query })
    await expect.poll(running, { timeout: 20_000 }).toBeGreaterThan(0)
    const asked = performance.now()
    const cancelled = await server.call('POST', `/v1/jobs/${id}/cancel`)
    expect(['cancelling', 'cancelled']).toContain(cancelled.body.status)
    expect((await get(id, 30)).status).toBe('cancelled')
    expect(performance.now() - asked).toBeLessThan(atOnce)
    await untilIdle()
  })

  test('by its timeout', async () => {
    const job = await server.run({ query: ENDLESS, timeout_seconds: 1 })
    expect(job).toMatchObject({ status: 'failed', status_reason: 'timeout', attempt: 1 })
    await untilIdle()
  })
})

describe('a workflow', () => {
  test('passes the parameters of its trigger to its queries', async () => {
    const payload = [{ query: 'SELECT {a:UInt8} AS a, {b:UInt8} AS b', parameters: { a: 1, b: 2 }, format: 'json' }]
    const { status, body: workflow } = await server.call('POST', '/v1/workflows', { name: 'report', payload })
    expect(status).toBe(201)
    const path = `/v1/workflows/${workflow.workflow_id}/trigger`
    const { body: run } = await server.call('POST', path, { parameters: { b: 9 } })
    const jobs = async () => (await server.call('GET', `/v1/runs/${run.run_id}/jobs`)).body.jobs
    await expect.poll(async () => (await jobs())[0]?.status, { timeout: 20_000 }).toBe('completed')
    expect(await rowsOf((await jobs())[0])).toEqual([{ a: 1, b: 9 }])
  })
})

describe('another workspace', () => {
  test('has its own tables and sees no others', async () => {
    const made = await server.call('POST', '/v1/workspaces', { name: 'other' })
    expect(made.status).toBe(201)
    const token = await server.call('POST', '/v1/tokens', { name: 'other', role: 'analyst', workspace: 'other' })
    const headers = { authorization: `Bearer ${token.body.token}` }
    const ask = (query: string) => server.call('POST', '/v1/sql', { query }, headers)
    expect((await ask('SELECT 1 AS one')).body).toEqual([{ one: 1 }])
    for (const table of ['events', 'live.events', 'default.events']) {
      const refused = await ask(`SELECT count() FROM ${table}`)
      expect([table, refused.status, refused.body.code]).toEqual([table, 422, 'sql_error'])
    }
  })
})

describe('a token may query', () => {
  const as = async (token: object) => {
    const { body } = await server.call('POST', '/v1/tokens', token)
    return (query: Record<string, unknown>) =>
      server.call('POST', '/v1/jobs', query, { authorization: `Bearer ${body.token}` })
  }

  test('as an analyst, which may run no command', async () => {
    const call = await as({ name: 'analyst', role: 'analyst' })
    expect((await call({ query: 'SELECT 1' })).status).toBe(201)
    expect((await call({ command: 'true' })).status).toBe(403)
  })

  test.each([
    ['a reader', { name: 'reader', role: 'reader' }],
    ['a token for commands alone', { name: 'commands', scopes: ['jobs:run:command', 'jobs:read'] }],
  ])('%s may not', async (_, token) => {
    const refused = await (await as(token))({ query: 'SELECT 1' })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.body.detail).toContain('jobs:run')
  })
})
