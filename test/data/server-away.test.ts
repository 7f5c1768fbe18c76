import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTcpEngine, type TcpEngine } from '../warehouse/tcp-engine.ts'
import { type DataScene, openDataScene } from './scene.ts'

let isAway = false
let engine: TcpEngine
let scene: DataScene
beforeAll(async () => {
  engine = await startTcpEngine({
    answer: () => (isAway ? { status: 502, text: 'no upstream', isOther: true } : null),
  })
  scene = await openDataScene({ settings: { 'clickhouse-url': engine.url } })
})
afterAll(async () => {
  await scene?.stop()
  await engine?.close()
})

const staging = async () =>
  (await scene.rows<{ name: string }>("SELECT name FROM system.databases WHERE position(name, '__stg_') > 0")).map(
    ({ name }) => name,
  )

/** Its rows are on their way: it sends no other request to the engine for two seconds. */
const untilInserts = (datasource: string) =>
  expect
    .poll(
      async () => (await scene.rows<{ query: string }>('SELECT query FROM system.processes')).map(({ query }) => query),
      { timeout: 30_000 },
    )
    .toContainEqual(expect.stringMatching(new RegExp(`^INSERT INTO .*${datasource}[\\s\\S]*sleepEachRow`)))

test('staging of a lost write on a server that was away is removed by the next read, that of a running write is not', async () => {
  const columns = { n: 'UInt64' }
  await scene.dataSource('abandoned', columns)
  await scene.dataSource('written', columns)
  const slowly = (datasource: string) => ({
    query: 'SELECT number + sleepEachRow(0.001) AS n FROM numbers(2500)',
    datasource,
    restartable: false,
  })
  const { body } = await scene.call('POST', '/v1/jobs', slowly('abandoned'))
  await untilInserts('abandoned')
  isAway = true
  const ended = await scene.call('GET', `/v1/jobs/${body.job_id}?wait=60`)
  expect(ended.body).toMatchObject({ status: 'failed', status_reason: expect.stringMatching(/^engine_/) })
  isAway = false
  // Findings about a server are cached for a moment.
  await expect.poll(staging, { timeout: 30_000 }).toHaveLength(1)
  const read = { query: 'SELECT count() AS n FROM abandoned', format: 'json' }
  expect(await scene.call('POST', '/v1/sql', read)).toMatchObject({ status: 200, body: [{ n: '0' }] })
  expect(await staging()).toEqual([])

  const other = await scene.call('POST', '/v1/jobs', slowly('written'))
  await untilInserts('written')
  // A call finds the server away for a moment.
  isAway = true
  expect((await scene.call('POST', '/v1/sql', read)).status).toBe(503)
  isAway = false
  await expect.poll(async () => (await scene.call('POST', '/v1/sql', read)).status, { timeout: 30_000 }).toBe(200)
  expect(await staging()).toHaveLength(1)
  const done = await scene.call('GET', `/v1/jobs/${other.body.job_id}?wait=60`)
  expect(done.body).toMatchObject({ status: 'completed', statistics: { rows_written: 2500, row_count: 2500 } })
})
