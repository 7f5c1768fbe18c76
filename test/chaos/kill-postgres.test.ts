import { expect, test } from 'vitest'
import { createTestDatabase } from '../test-database.ts'
import { runChaos } from './chaos.ts'

test('8 kills among two servers on one PostgreSQL lose no job, run no attempt twice and leave no process', async () => {
  const database = await createTestDatabase()
  const seed = Date.now() % 1_000_000
  const environment = { MILLRACE_DATABASE_URL: database.url, MILLRACE_SECRET_KEY: 'shared by both servers' }
  const report = await runChaos({ kills: 8, seed, servers: 2, environment, note: () => {} })
  await database.drop()
  expect(report.faults, `seed ${seed}, evidence in ${report.directory}`).toEqual([])
  expect(report.interrupted).toBeGreaterThan(1)
  expect(report.jobs).toBeGreaterThan(20)
}, 240_000)
