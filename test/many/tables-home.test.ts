import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { call, getJob, submitJob, waitForEnd } from '../chaos/api.ts'
import { createServerProcess, TOKEN } from '../chaos/server-process.ts'
import { startTestServer, type TestServer } from '../server.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'

let database: TestDatabase
let directory: string
let servers: TestServer[]

beforeEach(async () => {
  database = await createTestDatabase()
  directory = mkdtempSync(join(tmpdir(), 'millrace-home-'))
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await database?.drop()
  rmSync(directory, { recursive: true, force: true })
})

const settings = (): Record<string, string> => ({
  'database-url': database.url,
  'blob-url': `file://${directory}/blobs`,
  'secret-key': 'shared by all',
  'admin-token': TOKEN,
  'shutdown-grace': '0s',
})

/** One with an engine and a data directory of its own, kept over its restarts. */
const start = async (name: string, more: Record<string, string> = {}): Promise<TestServer> => {
  const server = await startTestServer({ settings: { ...settings(), ...more }, dataDir: join(directory, name) })
  servers.push(server)
  return server
}
const stop = async (server: TestServer): Promise<void> => {
  servers = servers.filter(other => other !== server)
  await server.stop()
}

const SOURCE = { name: 'events', schema: 'n UInt32' }
const create = async (server: TestServer): Promise<void> => {
  const answer = await server.call('POST', '/v1/datasources', SOURCE)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
}
const sql = (server: TestServer, query = 'SELECT arraySort(groupArray(n)) AS n FROM events') =>
  server.call('POST', '/v1/sql', { query })
const append = (n: number) => ({ query: `SELECT ${n} AS n`, datasource: 'events' })
const refusal = (home: TestServer) => ({
  status: 503,
  body: { code: 'engine_unavailable', detail: expect.stringContaining(`(${home.url})`) },
})
const ready = async (server: TestServer) => {
  const { status, body } = await server.call('GET', '/readyz')
  return { status, parts: Object.fromEntries(body.parts.map((part: { part: string }) => [part.part, part])) }
}

/** One that can be killed. */
const createHomeProcess = () =>
  createServerProcess({
    directory,
    environment: {
      MILLRACE_DATABASE_URL: database.url,
      MILLRACE_BLOB_URL: `file://${directory}/blobs`,
      MILLRACE_SECRET_KEY: 'shared by all',
    },
  })

/** Who finishes a publication waits for others that do: so those that come are committed and not finished. */
const holdPublications = async (): Promise<void> => {
  await database.query(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO millrace.table_lock (workspace, name, call_id, held_ms, held_until)
      VALUES (NEW.workspace, NEW.staging_database, 'the test', 3600000, millrace.clock(NULL) + 3600000);
      RETURN NEW;
    END $$`)
  await database.query('CREATE TRIGGER hold AFTER INSERT ON millrace.publication FOR EACH ROW EXECUTE FUNCTION hold()')
}
const letPublicationsGo = async (): Promise<void> => {
  await database.query('DROP TRIGGER hold ON millrace.publication')
  await database.query("DELETE FROM millrace.table_lock WHERE call_id = 'the test'")
}

describe('two servers with embedded engines and one PostgreSQL', () => {
  test('all appends are in the tables of the one that had them first, whichever server they were sent to', async () => {
    const home = await start('one')
    const other = await start('two')
    await create(home)
    const jobs = await Promise.all(Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? home : other).run(append(n))))
    for (const job of jobs)
      expect(job).toMatchObject({ status: 'completed', worker_id: home.engine.workerId, system_attempts: 0 })
    expect((await sql(home)).body).toEqual([{ n: [0, 1, 2, 3, 4, 5] }])
    const imported = await fetch(`${other.url}/v1/datasources/events/import?format=csv`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/csv' },
      body: 'n\n6\n',
    })
    const { job_id } = (await imported.json()) as { job_id: string }
    expect((await other.call('GET', `/v1/jobs/${job_id}?wait=60`)).body).toMatchObject({ status: 'completed' })
    expect((await sql(home)).body).toEqual([{ n: [0, 1, 2, 3, 4, 5, 6] }])
  })

  test('the other refuses what needs its engine, says where the tables are, and goes on with all else', async () => {
    const home = await start('one')
    const other = await start('two')
    await create(home)
    const refused = await sql(other)
    expect(refused).toMatchObject(refusal(home))
    for (const way of ['MILLRACE_CLICKHOUSE_URL', '--take-over-tables']) expect(refused.body.detail).toContain(way)
    expect(await other.call('POST', '/v1/datasources', { ...SOURCE, name: 'more' })).toMatchObject(refusal(home))
    expect(await other.call('GET', '/v1/datasources/events/quarantine')).toMatchObject(refusal(home))
    expect((await other.call('GET', '/v0/sql?q=SELECT%201')).status).toBe(503)
    const { status, parts } = await ready(other)
    expect(status).toBe(200)
    for (const kind of ['query', 'import', 'populate', 'copy', 'delete'])
      expect(parts[kind], kind).toMatchObject({ status: 'unavailable' })
    expect(parts.command.status).not.toBe('unavailable')
    expect((await ready(home)).parts.query.status).not.toBe('unavailable')
    await stop(home)
    expect(await other.run({ command: 'echo here' })).toMatchObject({
      status: 'completed',
      worker_id: other.engine.workerId,
    })
  })

  test('of two first uses at once one has the tables, and every job runs there', async () => {
    const both = [await start('one'), await start('two')]
    const answers = await Promise.all(both.map(server => sql(server, 'SELECT 1 AS n')))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503])
    const home = both[answers.findIndex(({ status }) => status === 200)]!
    const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => both[n % 2]!.run({ query: `SELECT ${n} AS n` })))
    for (const job of jobs) expect(job).toMatchObject({ status: 'completed', worker_id: home.engine.workerId })
  })

  test('of two that claim the first jobs at once the one without the tables puts its own back, without a try', async () => {
    const both = await Promise.all([start('one', { 'max-workers': '1' }), start('two', { 'max-workers': '1' })])
    const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => both[n % 2]!.run({ query: `SELECT ${n} AS n` })))
    expect(new Set(jobs.map(({ worker_id }) => worker_id)).size).toBe(1)
    for (const job of jobs) expect(job).toMatchObject({ status: 'completed', system_attempts: 0 })
  })

  test('a server that runs no jobs takes no tables', async () => {
    const front = await start('front', { roles: 'api,scheduler' })
    expect(await sql(front, 'SELECT 1 AS n')).toMatchObject({
      status: 503,
      body: { code: 'engine_unavailable', detail: expect.stringContaining('role worker') },
    })
    const worker = await start('worker')
    expect((await sql(worker, 'SELECT 1 AS n')).status).toBe(200)
  })
})

describe('tables that another server has', () => {
  test('can be taken over: they are those of this server from then on, and the former one refuses', async () => {
    const former = await start('one')
    await create(former)
    expect(await former.run(append(1))).toMatchObject({ status: 'completed' })
    await stop(former)
    const refusing = await start('two')
    expect((await sql(refusing)).status).toBe(503)
    await stop(refusing)
    const next = await start('two', { 'take-over-tables': 'true' })
    expect((await sql(next)).body).toEqual([{ n: [] }])
    expect(await next.run(append(2))).toMatchObject({ status: 'completed' })
    const back = await start('one')
    expect(await sql(back)).toMatchObject(refusal(next))
    expect(await back.run(append(3))).toMatchObject({ status: 'completed', worker_id: next.engine.workerId })
    expect((await sql(next)).body).toEqual([{ n: [2, 3] }])
    await stop(next)
    const again = await start('two')
    expect((await sql(again)).body).toEqual([{ n: [2, 3] }])
  })

  test('are noticed to have gone while the server runs, and nothing more is published there', async () => {
    const former = await start('one')
    await create(former)
    const chain = ['events', 'first', 'second', 'third']
    for (const [index, into] of chain.slice(1).entries()) {
      const sql = `SELECT n + 0 * sleepEachRow(0.25) AS n FROM ${chain[index]}`
      const nodes = [{ name: `to_${into}`, sql, materialize_into: into }]
      const made = await former.call('POST', '/v1/pipes', { name: `into_${into}`, nodes })
      expect(made.status, JSON.stringify(made.body)).toBe(201)
    }
    const rows = 'SELECT toUInt32(number) AS n FROM numbers(10)'
    const { body: slow } = await former.call('POST', '/v1/jobs', { query: rows, datasource: 'events' })
    await expect
      .poll(async () => (await former.call('GET', `/v1/jobs/${slow.job_id}`)).body.status, { timeout: 10_000 })
      .toBe('running')
    const next = await start('two', { 'take-over-tables': 'true' })
    const { body: job } = await next.call('GET', `/v1/jobs/${slow.job_id}?wait=60`)
    expect(job).toMatchObject({ status: 'completed', worker_id: next.engine.workerId })
    expect((await sql(next)).body).toEqual([{ n: Array.from({ length: 10 }, (_, n) => n) }])
    expect((await sql(next, 'SELECT toInt32(count()) AS n FROM third')).body).toEqual([{ n: 10 }])
    expect(await sql(former)).toMatchObject(refusal(next))
  })

  test('are left by a server that was about to publish there: its job runs once more where they are', async () => {
    const former = await start('one')
    await create(former)
    await holdPublications()
    const { body: held } = await former.call('POST', '/v1/jobs', append(1))
    await expect
      .poll(async () => (await database.query('SELECT FROM millrace.publication')).length, { timeout: 20_000 })
      .toBe(1)
    const next = await start('two', { 'take-over-tables': 'true' })
    // Also what it knows of its tables is older by now than it may be.
    await expect.poll(async () => (await sql(former)).status, { timeout: 10_000 }).toBe(503)
    await letPublicationsGo()
    const { body: job } = await next.call('GET', `/v1/jobs/${held.job_id}?wait=60`)
    expect(job).toMatchObject({ status: 'completed', worker_id: next.engine.workerId, system_attempts: 0 })
    expect((await sql(next)).body).toEqual([{ n: [1] }])
  })

  test('are taken over by themselves when their server is gone and no data source is lost', async () => {
    const former = await start('one')
    expect((await sql(former, 'SELECT 1 AS n')).status).toBe(200)
    const next = await start('two')
    expect(await sql(next, 'SELECT 1 AS n')).toMatchObject(refusal(former))
    await stop(former)
    await expect
      .poll(async () => (await sql(next, 'SELECT 1 AS n')).status, { timeout: 30_000, interval: 500 })
      .toBe(200)
    await create(next)
    expect(await next.run(append(1))).toMatchObject({ status: 'completed' })
  }, 60_000)
})

test('a home that is killed in mid-publication finishes it when it is back; nobody else does', async () => {
  const other = await start('other')
  const home = await createHomeProcess()
  await home.start()
  try {
    const made = await call(home.url, '/v1/datasources', { method: 'POST', body: SOURCE })
    expect(made.status, made.body).toBe(201)
    const rows = async () =>
      JSON.parse(
        (await call(home.url, '/v1/sql', { method: 'POST', body: { query: 'SELECT count() AS n FROM events' } })).body,
      )
    await waitForEnd(home, await submitJob(home.url, append(0)))
    await holdPublications()
    const jobId = await submitJob(home.url, append(1))
    await expect
      .poll(async () => (await database.query('SELECT FROM millrace.publication')).length, { timeout: 20_000 })
      .toBe(2)
    await home.kill('server')
    await letPublicationsGo()
    await expect
      .poll(async () => (await getJob(other.url, jobId))?.status, { timeout: 40_000, interval: 200 })
      .toBe('queued')
    // Jobs of the other run all the while: it claims, but not this one.
    for (let n = 0; n < 4; n++) expect(await other.run({ command: 'sleep 0.5' })).toMatchObject({ status: 'completed' })
    expect((await sql(other)).status).toBe(503)
    expect(await getJob(other.url, jobId)).toMatchObject({ status: 'queued' })
    await home.start()
    expect(await waitForEnd(home, jobId)).toMatchObject({ status: 'completed' })
    expect(await rows()).toEqual([{ n: '2' }])
  } finally {
    await home.stop()
  }
}, 120_000)

test('a publication of a former home that was not finished is made anew where the tables are now', async () => {
  const home = await createHomeProcess()
  await home.start()
  try {
    expect((await call(home.url, '/v1/datasources', { method: 'POST', body: SOURCE })).status).toBe(201)
    await holdPublications()
    const jobId = await submitJob(home.url, append(1))
    await expect
      .poll(async () => (await database.query('SELECT FROM millrace.publication')).length, { timeout: 20_000 })
      .toBe(1)
    await home.kill('server')
    await letPublicationsGo()
    const next = await start('next', { 'take-over-tables': 'true' })
    expect(await waitForEnd(next, jobId)).toMatchObject({ status: 'completed' })
    expect((await sql(next)).body).toEqual([{ n: [1] }])
  } finally {
    await home.stop()
  }
}, 120_000)
