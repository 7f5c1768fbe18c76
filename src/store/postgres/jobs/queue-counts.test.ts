import { afterAll, beforeAll, expect, test } from 'vitest'
import { newJobs } from '../../../../test/conformance/suite/scene.ts'
import { createTestDatabase, type TestDatabase } from '../../../../test/test-database.ts'
import { connectDatabase, type Database, type Queryable } from '../database.ts'
import { openPostgresStore } from '../postgres-store.ts'
import { QueueCounts } from './queue-counts.ts'

let created: TestDatabase
let database: Database
beforeAll(async () => {
  created = await createTestDatabase()
  const store = await openPostgresStore({ url: created.url, processName: 'test' })
  await store.submitJobs({ jobs: newJobs(3), maxQueued: 10 })
  await store.close()
  database = connectDatabase(created.url)
})
afterAll(async () => {
  await database.close()
  await created.drop()
})

test('a count from which the claims of other servers’ jobs were subtracted is not trusted for long', async () => {
  let now = 0
  const counts = new QueueCounts(database.reader, () => now)
  expect(await counts.reserve('default', 1, 10)).toBeNull()
  counts.add('default', -100)
  now += 60_000
  await expect.poll(() => counts.reserve('default', 8, 10)).toBe(3)
  expect(await counts.reserve('default', 7, 10)).toBeNull()
})

test('a submit does not wait for a new count below the limit: reads of others may use all connections', async () => {
  let now = 0
  let isBusy = false
  const never = new Promise<never>(() => {})
  const reader: Queryable = {
    query: (statement, values) => (isBusy ? never : database.reader.query(statement, values)),
  }
  const counts = new QueueCounts(reader, () => now)
  await counts.reserve('default', 1, 10)
  isBusy = true
  now += 60_000
  expect(await counts.reserve('default', 1, 10)).toBeNull()
})
