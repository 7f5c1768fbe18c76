import { afterAll, beforeAll, expect, test } from 'vitest'
import { newJobs } from '../../../../test/conformance/suite/scene.ts'
import { VirtualClock } from '../../../../test/conformance/virtual-clock.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { openPostgresStore } from '../postgres-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('a batch of many jobs that are due at the same instant is promoted without reading all of them', async () => {
  const clock = new VirtualClock(Date.UTC(2026, 10, 21, 12))
  const store = await openPostgresStore({ url: database.url, processName: 'test', clock })
  await store.submitJobs({ jobs: newJobs(2000, { scheduledAt: clock.now() + 1000 }), maxQueued: 10_000 })
  clock.advance(1000)
  expect(await store.promoteDueJobs({ limit: 10 })).toMatchObject({ promoted: 10 })
  // Its connections report what they have read when they end.
  await store.close()
  const read = async () => {
    const [due] = await database.query(`SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'live_due'`)
    return Number(due!.idx_tup_read)
  }
  await expect.poll(read, { timeout: 10_000 }).toBeGreaterThanOrEqual(10)
  expect(await read()).toBeLessThan(200)
})
