import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, submitJob, waitForEnd } from '../chaos/api.ts'
import { createServerProcess, type ServerProcess } from '../chaos/server-process.ts'
import { materialized, openDataScene } from './scene.ts'

const KILLS = 16
const ROWS = 40_000

let directory: string
let server: ServerProcess
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const scene = await openDataScene({ dataDir: join(directory, 'data') })
  const columns = { day: 'Date', product: 'String', amount: 'Float64' }
  await scene.dataSource('events', columns, { partitionKey: 'toYYYYMM(day)', sortingKey: 'product, day' })
  const days = 'SELECT day, product, countState() AS n, sumState(amount) AS total FROM events GROUP BY day, product'
  await scene.pipe('by_day', [{ name: 'days', sql: days, role: materialized('per_day') }])
  const months = 'SELECT toStartOfMonth(day) AS month, countMergeState(n) AS n FROM per_day GROUP BY month'
  await scene.pipe('by_month', [{ name: 'months', sql: months, role: materialized('per_month') }])
  await scene.stop()
  server = await createServerProcess({ directory, environment: {} })
  await server.start()
}, 60_000)
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const submit = (body: unknown): Promise<string> => submitJob(server.url, body)
const ended = (jobId: string) => waitForEnd(server, jobId)

const sql = async (query: string): Promise<Record<string, unknown>> => {
  const answer = await call(server.url, '/v1/sql', { method: 'POST', body: { query } })
  expect(answer.status, answer.body).toBe(200)
  return (JSON.parse(answer.body) as Record<string, unknown>[])[0]!
}

/** All of these are the same number if nothing was lost, done twice or half done. */
const totals = async () => {
  const counts = await sql(`SELECT toInt32((SELECT count() FROM events)) AS events,
    toInt32((SELECT countMerge(n) FROM per_day)) AS days, toInt32((SELECT countMerge(n) FROM per_month)) AS months,
    (SELECT sum(amount) FROM events) = (SELECT sumMerge(total) FROM per_day) AS equal`)
  return counts as { events: number; days: number; months: number; equal: number }
}

const rowsQuery = (rows: number) =>
  `SELECT toDate('2026-01-01') + number % 150 AS day, concat('p', toString(number % 100)) AS product,
    toFloat64(number % 1000) AS amount FROM numbers(${rows})`

const put = (rows: number, mode: string) => ({ query: rowsQuery(rows), datasource: 'events', mode })

test(`${KILLS} times kill -9 of the server while it writes: every write is there once, whole, with everything derived from it`, async () => {
  await ended(await submit(put(ROWS, 'append')))
  const started = performance.now()
  await ended(await submit(put(ROWS, 'append')))
  const usual = performance.now() - started
  let expected = 2 * ROWS
  let interrupted = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const mode = kill % 4 === 3 ? 'replace' : 'append'
    const rows = ROWS + kill
    const jobId = await submit(kill % 5 === 4 ? { populate: { pipe: 'by_day', truncate: true } } : put(rows, mode))
    // From the start to a little after the usual end.
    await sleep(((kill + Math.random()) / KILLS) * usual * 1.1)
    await server.kill('server')
    await server.start()
    const job = await ended(jobId)
    expect(job.status).toBe('completed')
    if (job.attempt > 1) interrupted += 1
    if (kill % 5 !== 4) expected = mode === 'replace' ? rows : expected + rows
    expect(await totals(), `after kill ${kill}`).toEqual({
      events: expected,
      days: expected,
      months: expected,
      equal: 1,
    })
  }
  expect(interrupted).toBeGreaterThan(KILLS / 4)
  const left = await call(server.url, '/v1/jobs?status=running,queued,pending&limit=1')
  expect(JSON.parse(left.body).jobs).toEqual([])
}, 600_000)

test('a write that is cancelled at any moment either changed nothing or is complete', async () => {
  const before = await totals()
  let expected = before.events
  for (let round = 0; round < 12; round++) {
    const jobId = await submit(put(ROWS, 'append'))
    await sleep(round * 40)
    await call(server.url, `/v1/jobs/${jobId}/cancel`, { method: 'POST' })
    const job = await ended(jobId)
    if (job.status === 'completed') expected += ROWS
    else expect(job.status).toBe('cancelled')
    expect(await totals(), `after cancel ${round}`).toEqual({
      events: expected,
      days: expected,
      months: expected,
      equal: 1,
    })
  }
}, 120_000)
