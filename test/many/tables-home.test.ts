import { describe, expect, test } from 'vitest'
import { TOKEN } from '../chaos/server-process.ts'
import type { TestServer } from '../server.ts'
import { append, create, openHomes, refusal, SOURCE, sql } from './homes.ts'

const homes = openHomes()

const ready = async (server: TestServer) => {
  const { status, body } = await server.call('GET', '/readyz')
  return { status, parts: Object.fromEntries(body.parts.map((part: { part: string }) => [part.part, part])) }
}

describe('two servers with embedded engines and one PostgreSQL', () => {
  test('all appends run on the server that has the tables, whichever server they were sent to', async () => {
    const home = await homes.start('one')
    const other = await homes.start('two')
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

  test('the other server refuses what needs its engine, says where the tables are, and does everything else', async () => {
    const home = await homes.start('one')
    const other = await homes.start('two')
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
    await homes.stop(home)
    expect(await other.run({ command: 'echo here' })).toMatchObject({
      status: 'completed',
      worker_id: other.engine.workerId,
    })
  })

  test('of two servers that first use their engines at once one gets the tables, and runs every job on them', async () => {
    const both = [await homes.start('one'), await homes.start('two')]
    const answers = await Promise.all(both.map(server => sql(server, 'SELECT 1 AS n')))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503])
    const home = both[answers.findIndex(({ status }) => status === 200)]!
    const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => both[n % 2]!.run({ query: `SELECT ${n} AS n` })))
    for (const job of jobs) expect(job).toMatchObject({ status: 'completed', worker_id: home.engine.workerId })
  })

  test('of two servers that claim the first jobs at once, the one without tables puts its jobs back, using up no attempt', async () => {
    const both = await Promise.all([
      homes.start('one', { 'max-workers': '1' }),
      homes.start('two', { 'max-workers': '1' }),
    ])
    const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => both[n % 2]!.run({ query: `SELECT ${n} AS n` })))
    expect(new Set(jobs.map(({ worker_id }) => worker_id)).size).toBe(1)
    for (const job of jobs) expect(job).toMatchObject({ status: 'completed', system_attempts: 0 })
  })

  test('a server that runs no jobs takes no tables', async () => {
    const front = await homes.start('front', { roles: 'api,scheduler' })
    expect(await sql(front, 'SELECT 1 AS n')).toMatchObject({
      status: 503,
      body: { code: 'engine_unavailable', detail: expect.stringContaining('role worker') },
    })
    const worker = await homes.start('worker')
    expect((await sql(worker, 'SELECT 1 AS n')).status).toBe(200)
  })
})
