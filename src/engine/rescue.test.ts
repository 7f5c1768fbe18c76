import { afterAll, beforeAll, expect, test } from 'vitest'
import { newJobs, WORKSPACE } from '../../test/conformance/suite/scene.ts'
import { LogScene, openStore } from '../../test/logs/log-scene.ts'
import { createTestDatabase } from '../../test/test-database.ts'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import { LEASE_MS } from '../model/lease.ts'
import { openPostgresStore } from '../store/postgres/postgres-store.ts'
import { createRescuer } from './rescue.ts'

let opened: Awaited<ReturnType<typeof openStore>>
let scene: LogScene
beforeAll(async () => {
  opened = await openStore()
  scene = await LogScene.open({ store: opened.store })
})
afterAll(async () => {
  await scene.close()
  await opened.close()
})

test('the logs of many lost attempts are recovered a few at a time, since each needs memory', async () => {
  const { store } = opened
  await store.submitJobs({ jobs: newJobs(200), maxQueued: 1000 })
  await store.claimJobs({ workerId: 'gone', kinds: ['command'], limit: 200, leaseMs: LEASE_MS })
  let atOnce = 0
  let most = 0
  const recover: JobLogs['recover'] = async lost => {
    most = Math.max(most, ++atOnce)
    const parts = await scene.logs.recover(lost)
    atOnce--
    return parts
  }
  const logs = { ...scene.logs, recover }
  await createRescuer({ store, logs, clock: systemClock, logger: silentLogger }).rescueWorkers(['gone'])
  expect(most).toBeLessThanOrEqual(50)
  expect(await store.countJobs({ workspace: WORKSPACE, filters: { status: ['running'] } })).toBe(0)
})

test('large logs of lost attempts are not stored all at once, since PostgreSQL takes no message of 1 GiB', async () => {
  const database = await createTestDatabase()
  const store = await openPostgresStore({ url: database.url, processName: 'test' })
  await store.submitJobs({ jobs: newJobs(6), maxQueued: 10 })
  await store.claimJobs({ workerId: 'gone', kinds: ['command'], limit: 6, leaseMs: LEASE_MS })
  const data = Buffer.alloc(3 * 1024 * 1024)
  const part = { firstSeq: 1, lastSeq: 1, attempt: 1, firstAt: 1, lastAt: 1, bytes: 1, data, blobKey: null }
  const logs = { ...scene.logs, recover: async () => [part] }
  await createRescuer({ store, logs, clock: systemClock, logger: silentLogger }).rescueWorkers(['gone'])
  await store.close()
  const [row] = await database.query(
    'SELECT count(DISTINCT xmin::text)::integer AS transactions FROM millrace.log_part',
  )
  expect(row).toEqual({ transactions: 6 })
  await database.drop()
})
