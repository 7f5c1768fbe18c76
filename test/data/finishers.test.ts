import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTableSql } from '../../src/data/tables/table-ddl.ts'
import { tablesOf } from '../../src/data/write/exchange-tables.ts'
import { finishPublication, takeBack } from '../../src/data/write/finish-publication.ts'
import { stagingName } from '../../src/data/write/staging-database.ts'
import { tidyStaging } from '../../src/data/write/tidy-staging.ts'
import { findDataSource } from '../../src/model/catalogue-graph.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { leaseOf } from '../../src/model/lease.ts'
import { type DataScene, openDataScene, WORKSPACE } from './scene.ts'

let scene: DataScene
beforeAll(async () => {
  // The tests run its jobs by hand.
  scene = await openDataScene({ executors: [] })
  await scene.dataSource('events', { n: 'UInt64' })
})
afterAll(() => scene?.stop())

const command = (sql: string) => scene.warehouse.command({ workspace: WORKSPACE, sql })

/** An attempt that has committed one row of `n` and not put it in place. */
const published = async (n: number) => {
  await scene.call('POST', '/v1/jobs', { query: 'SELECT 1 AS n', datasource: 'events', mode: 'replace' })
  const [job] = await scene.store.claimJobs({ workerId: 'by hand', kinds: ['query'], limit: 1, leaseMs: 60_000 })
  const { id: jobId, attempt } = job!
  const stagingDatabase = stagingName(scene.warehouse.database(WORKSPACE), { jobId, attempt })
  const events = findDataSource(await scene.data.catalogue(WORKSPACE), 'events')!
  await command(`CREATE DATABASE ${stagingDatabase}`)
  await command(createTableSql(stagingDatabase, events))
  await command(`INSERT INTO ${stagingDatabase}.events SELECT ${n}`)
  const { uuid } = (await tablesOf(scene.warehouse, WORKSPACE, stagingDatabase)).get('events')!
  const publication = { stagingDatabase, tables: [{ name: 'events', uuid }], outcome: '{}' }
  const lease = leaseOf(job!)
  expect(await scene.store.commitPublication({ workspace: WORKSPACE, lease, publication })).toBe('committed')
  return { job: job!, publication: { ...publication, workspace: WORKSPACE, jobId } }
}

const end = (job: ClaimedJob, type: 'complete' | 'release') => {
  const exit = { exitCode: null, signal: null }
  const end = type === 'complete' ? { type, exit, statistics: null, result: null } : { type, exit }
  return scene.store.endAttempts([{ lease: leaseOf(job), end, log: [] }])
}

const rows = () => scene.value('SELECT groupArray(n) FROM events')

test('of several that finish a publication at once one does it', async () => {
  for (let n = 0; n < 8; n++) {
    const { job, publication } = await published(n)
    await Promise.all([1, 2, 3, 4].map(() => finishPublication(scene.data, publication)))
    expect(await rows()).toBe(String(n))
    expect(await scene.staging()).toEqual([])
    await end(job, 'complete')
  }
})

test('of several that tidy up after a lost worker one puts its rows in place', async () => {
  for (let n = 10; n < 18; n++) {
    const { job } = await published(n)
    await end(job, 'release')
    await Promise.all([1, 2, 3, 4].map(() => tidyStaging(scene.data, WORKSPACE, [])))
    expect(await rows()).toBe(String(n))
    expect(await scene.staging()).toEqual([])
    const [again] = await scene.store.claimJobs({ workerId: 'by hand', kinds: ['query'], limit: 1, leaseMs: 60_000 })
    await end(again!, 'complete')
  }
})

test('a finished publication that is still in staging does not replace later rows', async () => {
  const first = await published(20)
  const { stagingDatabase } = first.publication
  await command(`EXCHANGE TABLES events AND ${stagingDatabase}.events`)
  await end(first.job, 'complete')
  const second = await published(21)
  await finishPublication(scene.data, second.publication)
  await end(second.job, 'complete')
  await tidyStaging(scene.data, WORKSPACE, [])
  expect(await rows()).toBe('21')
  expect(await scene.staging()).toEqual([])
})

test('a publication that is revoked while others finish it is either in place or gone, and the caller learns which', async () => {
  for (let n = 30; n < 38; n++) {
    const before = await rows()
    const { job, publication } = await published(n)
    const [isGone] = await Promise.all([
      takeBack(scene.data, publication, leaseOf(job)),
      finishPublication(scene.data, publication),
    ])
    expect(await rows()).toBe(isGone ? before : String(n))
    expect((await scene.store.getPublication({ workspace: WORKSPACE, jobId: job.id })) === null).toBe(isGone)
    await end(job, isGone ? 'release' : 'complete')
    if (isGone) await scene.call('POST', `/v1/jobs/${job.id}/cancel`)
    await tidyStaging(scene.data, WORKSPACE, [])
    expect(await scene.staging()).toEqual([])
  }
})
