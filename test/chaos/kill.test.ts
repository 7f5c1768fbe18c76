import { expect, test } from 'vitest'
import { runChaos } from './chaos.ts'

test('20 kills of server and launcher at random moments lose no job, run no attempt twice and leave no process', async () => {
  const seed = Date.now() % 1_000_000
  const report = await runChaos({ kills: 20, seed, servers: 1, environment: {}, note: () => {} })
  expect(report.faults, `seed ${seed}, evidence in ${report.directory}`).toEqual([])
  expect(report.interrupted).toBeGreaterThan(5)
  expect(report.jobs).toBeGreaterThan(50)
}, 180_000)
