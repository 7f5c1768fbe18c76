import { describe, expect, test } from 'vitest'
import {
  append,
  create,
  holdPublications,
  letLeasesRunOut,
  letPublicationsGo,
  openHomes,
  refusal,
  sql,
  untilPublications,
} from './homes.ts'

const homes = openHomes()

describe('tables that another server has', () => {
  test('can be taken over, and then the former server refuses', async () => {
    const former = await homes.start('one')
    await create(former)
    expect(await former.run(append(1))).toMatchObject({ status: 'completed' })
    await homes.stop(former)
    const refusing = await homes.start('two')
    expect((await sql(refusing)).status).toBe(503)
    await homes.stop(refusing)
    const next = await homes.start('two', { 'take-over-tables': 'true' })
    expect((await sql(next)).body).toEqual([{ n: [] }])
    expect(await next.run(append(2))).toMatchObject({ status: 'completed' })
    const back = await homes.start('one')
    expect(await sql(back)).toMatchObject(refusal(next))
    expect(await back.run(append(3))).toMatchObject({ status: 'completed', worker_id: next.engine.workerId })
    expect((await sql(next)).body).toEqual([{ n: [2, 3] }])
    await homes.stop(next)
    const again = await homes.start('two')
    expect((await sql(again)).body).toEqual([{ n: [2, 3] }])
  })

  test('can be taken from a running server, which notices and publishes nothing more', async () => {
    const former = await homes.start('one')
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
    const next = await homes.start('two', { 'take-over-tables': 'true' })
    const { body: job } = await next.call('GET', `/v1/jobs/${slow.job_id}?wait=60`)
    expect(job).toMatchObject({ status: 'completed', worker_id: next.engine.workerId })
    expect((await sql(next)).body).toEqual([{ n: Array.from({ length: 10 }, (_, n) => n) }])
    expect((await sql(next, 'SELECT toInt32(count()) AS n FROM third')).body).toEqual([{ n: 10 }])
    expect(await sql(former)).toMatchObject(refusal(next))
  })

  test('can be taken from a server that is about to publish, and its job runs again on the new one', async () => {
    const former = await homes.start('one')
    await create(former)
    await holdPublications(homes.database())
    const { body: held } = await former.call('POST', '/v1/jobs', append(1))
    await untilPublications(homes.database(), 1)
    const next = await homes.start('two', { 'take-over-tables': 'true' })
    // By now what the former server remembers of its tables has expired, too.
    await expect.poll(async () => (await sql(former)).status, { timeout: 10_000 }).toBe(503)
    await letPublicationsGo(homes.database())
    const { body: job } = await next.call('GET', `/v1/jobs/${held.job_id}?wait=60`)
    expect(job).toMatchObject({ status: 'completed', worker_id: next.engine.workerId, system_attempts: 0 })
    expect((await sql(next)).body).toEqual([{ n: [1] }])
  })

  test('are taken over automatically if that server is gone and no data source is lost', async () => {
    const former = await homes.start('one')
    expect((await sql(former, 'SELECT 1 AS n')).status).toBe(200)
    const next = await homes.start('two')
    expect(await sql(next, 'SELECT 1 AS n')).toMatchObject(refusal(former))
    await homes.stop(former)
    expect(await sql(next, 'SELECT 1 AS n')).toMatchObject(refusal(former))
    await letLeasesRunOut(homes.database())
    await expect
      .poll(async () => (await sql(next, 'SELECT 1 AS n')).status, { timeout: 30_000, interval: 500 })
      .toBe(200)
    await create(next)
    expect(await next.run(append(1))).toMatchObject({ status: 'completed' })
  }, 60_000)
})
