import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dropPipe } from '../../src/data/pipes/pipes.ts'
import { dropDataSource, truncateDataSource } from '../../src/data/tables/data-sources.ts'
import { enginesOf } from './engines-of.ts'
import { type DataScene, materialized, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  scene = await openDataScene({ settings: { 'max-workers': '6' } })
  await scene.dataSource('source', { day: 'Date', n: 'UInt64' }, { partitionKey: 'toYYYYMM(day)' })
  const twelve = "SELECT toDate('2026-01-01') + number % 360 AS day, number AS n FROM numbers(36000)"
  expect((await write(twelve, 'source')).status).toBe('completed')
  await scene.pipe('slow', [
    {
      name: 'slowly',
      sql: 'SELECT day, sum(n + sleepEachRow(0.0001)) AS n FROM source GROUP BY day',
      role: materialized('summed'),
    },
  ])
})
afterAll(() => scene?.stop())

const write = (query: string, datasource: string, mode = 'append') => scene.run({ query, datasource, mode })

const submit = async (body: unknown): Promise<string> => {
  const answer = await scene.call('POST', '/v1/jobs', body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return answer.body.job_id
}
const job = async (id: string, wait = 0) => (await scene.call('GET', `/v1/jobs/${id}?wait=${wait}`)).body
const rowsOf = (table: string) => scene.value(`SELECT count() FROM ${table}`)

/** Rows that come slowly, so that the write takes a while. */
const SLOWLY = "SELECT toDate('2026-05-05') AS day, number + sleepEachRow(0.001) AS n FROM numbers(2500)"

const untilWrites = async (id: string): Promise<void> => {
  await expect
    .poll(async () => (await scene.staging()).some(name => name.includes(id.replaceAll('-', ''))), { timeout: 30_000 })
    .toBe(true)
}

const stepsDone = async (id: string): Promise<number> =>
  ((await job(id)).progress?.steps ?? []).filter((step: { status: string }) => step.status === 'done').length

test('a populate that is cancelled half-way leaves its data source as it was', async () => {
  await scene.run({ populate: { pipe: 'slow', condition: "day < '2026-02-01'", truncate: true } })
  const before = await rowsOf('summed')
  expect(before).toBe('31')
  const id = await submit({ populate: { pipe: 'slow', truncate: true } })
  await expect.poll(() => stepsDone(id), { timeout: 60_000 }).toBeGreaterThan(1)
  expect((await scene.call('POST', `/v1/jobs/${id}/cancel`)).body.status).toBe('cancelling')
  const ended = await job(id, 5)
  expect(ended.status).toBe('cancelled')
  expect(ended.progress.steps.map((step: { status: string }) => step.status)).toContain('cancelled')
  expect(await rowsOf('summed')).toBe(before)
  expect(await scene.staging()).toEqual([])
}, 90_000)

test('a populate that is cancelled while it is being prepared leaves no staging', async () => {
  const left: string[] = []
  for (let wait = 0; wait < 40; wait++) {
    const id = await submit({ populate: { pipe: 'slow', truncate: true } })
    await expect.poll(async () => (await job(id)).status, { interval: 1 }).toBe('running')
    await sleep(4 * wait)
    await scene.call('POST', `/v1/jobs/${id}/cancel`)
    expect((await job(id, 30)).status).toBe('cancelled')
    left.push(...(await scene.staging()))
  }
  expect(left).toEqual([])
}, 90_000)

test('a step whose engine is killed is repeated alone', async () => {
  const id = await submit({ populate: { pipe: 'slow', truncate: true } })
  await expect.poll(() => stepsDone(id), { timeout: 60_000 }).toBeGreaterThan(1)
  process.kill(engineOf(scene.dataDir), 'SIGKILL')
  const ended = await job(id, 60)
  expect(ended).toMatchObject({ status: 'completed', attempt: 1, system_attempts: 0 })
  expect(await rowsOf('summed')).toBe('360')
}, 120_000)

test('a write whose engine is killed is retried, and its rows are there once', async () => {
  const before = Number(await rowsOf('source'))
  const id = await submit({ query: SLOWLY, datasource: 'source' })
  await untilWrites(id)
  process.kill(engineOf(scene.dataDir), 'SIGKILL')
  expect(await job(id, 60)).toMatchObject({ status: 'completed', attempt: 2, system_attempts: 1 })
  expect(Number(await rowsOf('source'))).toBe(before + 2500)
  expect(await scene.staging()).toEqual([])
}, 90_000)

test('staging of a write whose engine was killed is removed by the next read', async () => {
  const id = await submit({ query: SLOWLY, datasource: 'source', restartable: false })
  await untilWrites(id)
  // Also the engine that is started to clean up.
  await expect
    .poll(
      async () => {
        for (const pid of enginesOf(scene.dataDir)) process.kill(pid, 'SIGKILL')
        return (await job(id)).status
      },
      { timeout: 30_000, interval: 5 },
    )
    .toBe('failed')
  const read = { query: 'SELECT count() AS n FROM source', format: 'json' }
  expect((await scene.call('POST', '/v1/sql', read)).status).toBe(200)
  expect(await scene.staging()).toEqual([])
}, 90_000)

test('staging of a running job is kept when its engine is restarted and read', async () => {
  const id = await submit({ populate: { pipe: 'slow', truncate: true } })
  await expect.poll(() => stepsDone(id), { timeout: 60_000 }).toBeGreaterThan(1)
  process.kill(engineOf(scene.dataDir), 'SIGKILL')
  const read = { query: 'SELECT count() AS n FROM source', format: 'json' }
  await expect.poll(async () => (await scene.call('POST', '/v1/sql', read)).status, { timeout: 30_000 }).toBe(200)
  expect((await scene.staging()).some(name => name.includes(id.replaceAll('-', '')))).toBe(true)
  expect(await job(id, 60)).toMatchObject({ status: 'completed', attempt: 1 })
  expect(await rowsOf('summed')).toBe('360')
}, 120_000)

test('a data source that a job writes cannot be dropped, truncated or fed differently meanwhile, and the refusal names the job', async () => {
  await scene.dataSource('busy', { day: 'Date', n: 'UInt64' })
  await scene.pipe('of_busy', [{ name: 'fed', sql: 'SELECT day, n FROM busy', role: materialized('fed_by_busy') }])
  const id = await submit({ query: SLOWLY, datasource: 'busy' })
  await untilWrites(id)
  for (const call of [
    () => truncateDataSource(scene.data, WORKSPACE, 'busy'),
    () => truncateDataSource(scene.data, WORKSPACE, 'fed_by_busy'),
    () => dropPipe(scene.data, WORKSPACE, 'of_busy'),
  ])
    await expect(call()).rejects.toMatchObject({ code: 'data_busy', message: expect.stringContaining(id) })
  await expect(dropDataSource(scene.data, WORKSPACE, 'busy')).rejects.toMatchObject({ code: 'data_source_in_use' })
  expect((await job(id, 60)).status).toBe('completed')
  await dropPipe(scene.data, WORKSPACE, 'of_busy')
  await dropDataSource(scene.data, WORKSPACE, 'busy')
  expect(await scene.value("SELECT count() FROM system.tables WHERE name = 'busy'")).toBe('0')
}, 60_000)

test('a query that reads while its table is replaced returns the former rows or the new ones, whole', async () => {
  await scene.dataSource('swapped', { n: 'UInt64' })
  await write('SELECT number AS n FROM numbers(1000)', 'swapped')
  const slow = submit({ query: 'SELECT count() + 0 * sum(sleepEachRow(0.001)) AS n FROM swapped', format: 'json' })
  const reads = [await slow]
  for (let round = 1; round <= 4; round++) {
    reads.push(await submit({ query: 'SELECT count() AS n FROM swapped', format: 'json' }))
    await write(`SELECT number AS n FROM numbers(${1000 * (round + 1)})`, 'swapped', 'replace')
  }
  for (const id of reads) {
    expect(await job(id, 30)).toMatchObject({ status: 'completed' })
    const { body } = await scene.call('GET', `/v1/jobs/${id}/result`)
    expect(Number(body[0].n) % 1000).toBe(0)
    expect(Number(body[0].n)).toBeGreaterThan(0)
  }
}, 60_000)

test('jobs that write one data source wait for each other without a slot', async () => {
  const first = await submit({ query: SLOWLY, datasource: 'source' })
  await untilWrites(first)
  const second = await submit({ query: SLOWLY, datasource: 'source' })
  expect(await job(second)).toMatchObject({ status: 'pending', status_reason: 'exclusive_key' })
  await scene.call('POST', `/v1/jobs/${second}/cancel`)
  expect((await job(first, 60)).status).toBe('completed')
}, 60_000)

const engineOf = (dataDir: string): number => {
  const engines = enginesOf(dataDir)
  expect(engines).toHaveLength(1)
  return engines[0]!
}
