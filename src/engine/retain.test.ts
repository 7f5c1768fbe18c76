import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newJobs, Scene, WORKSPACE } from '../../test/conformance/suite/scene.ts'
import { VirtualClock } from '../../test/conformance/virtual-clock.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { loadConfig } from '../kernel/config.ts'
import { silentLogger } from '../kernel/logger.ts'
import { createJobLogs } from '../logs/create-job-logs.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { Loop } from './loop.ts'
import { createRetainLoop } from './retain.ts'

const HOUR = 3_600_000

let directory: string
let scene: Scene
let loop: Loop

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-retain-'))
  const clock = new VirtualClock(Date.now())
  const store = await openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  scene = new Scene(clock, { store, isShared: false, close: () => store.close(), reopen: async () => store })
  const blobs = await openFileBlobStore({ directory: join(directory, 'blobs') })
  const flags = { 'data-dir': directory, 'retention-jobs': '1h' }
  const { config } = loadConfig({ flags, environment: {}, directory })
  const logs = createJobLogs({
    store,
    blobs,
    clock,
    dataDir: directory,
    maxBytes: 1e6,
    logger: silentLogger,
    shareTails: false,
  })
  loop = createRetainLoop({ store, logs, clock, logger: silentLogger, rememberJobs: async () => {}, config })
})

afterEach(async () => {
  await loop.stop()
  await scene.close()
  rmSync(directory, { recursive: true, force: true })
})

const submitEnded = async (count: number, sinks: readonly { index: number; onFailure: boolean }[]): Promise<void> => {
  await scene.submit(newJobs(count, { sinks }))
  for (const job of await scene.claim(count)) await scene.end(job)
}

/** Those with pending deliveries come first, and are more than one batch of the loop. */
test('with a retention shorter than a day, jobs with pending deliveries are kept, and others are purged', async () => {
  await submitEnded(520, [{ index: 0, onFailure: true }])
  scene.clock.advance(1)
  await submitEnded(600, [])
  scene.clock.advance(2 * HOUR)
  loop.start()
  await vi.waitFor(async () => expect(await scene.listIds()).toHaveLength(520), { timeout: 30_000 })
  const { claimed } = await scene.store.claimDeliveries({ limit: 520, leaseMs: 1000 })
  expect(claimed).toHaveLength(520)
  await scene.store.endDeliveries(
    claimed.map(({ delivery, claimToken }) => ({
      deliveryId: delivery.id,
      claimToken,
      lastStatus: 200,
      lastError: null,
      outcome: { type: 'delivered' },
    })),
  )
  loop.wake()
  await vi.waitFor(async () => expect(await scene.listIds()).toEqual([]), { timeout: 30_000 })
  expect(await scene.store.countDeliveries({ workspace: WORKSPACE, filters: {} })).toBe(0)
})
