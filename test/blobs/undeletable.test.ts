import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { BlobStore } from '../../src/blobs/blob-store.ts'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { createGarbageCollector } from '../../src/engine/collect-garbage.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { leaseOf, logPart, Scene, WORKSPACE } from '../conformance/suite/scene.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { createTestDatabase } from '../test-database.ts'
import { inChunks, sampleBytes } from './content.ts'
import { refuse, S3_KEYS } from './s3-server.ts'
import { startSwitchableS3 } from './switchable-s3.ts'

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-undeletable-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const onSqlite = (clock: VirtualClock): Promise<Store> =>
  openSqliteStore({ path: join(newDirectory(), 'millrace.db'), clock })

const onPostgres = async (clock: VirtualClock): Promise<Store> => {
  const database = await createTestDatabase()
  onTestFinished(() => database.drop())
  return openPostgresStore({ url: database.url, processName: 'one', clock })
}

/** Blobs that can be protected from deletion, and released again. */
type Place = {
  readonly blobs: BlobStore
  readonly hold: (keys: readonly string[]) => void
  readonly letGo: () => void
}

const inFiles = async (): Promise<Place> => {
  const directory = newDirectory()
  const pathOf = (key: string) => join(directory, key.slice(0, 2), key)
  let held: readonly string[] = []
  return {
    blobs: await openFileBlobStore({ directory }),
    hold: keys => {
      held = keys
      for (const key of keys) {
        // A folder in its place cannot be removed like a file.
        rmSync(pathOf(key))
        mkdirSync(pathOf(key))
      }
    },
    letGo: () => {
      for (const key of held) rmdirSync(pathOf(key))
    },
  }
}

const inS3 = async (): Promise<Place> => {
  const s3 = await startSwitchableS3('blobs')
  const options = { bucket: 'blobs', prefix: '', region: 'us-east-1', endpoint: s3.endpoint, forcePathStyle: true }
  const blobs = await openS3BlobStore({ ...options, credentials: S3_KEYS })
  onTestFinished(async () => {
    blobs.close()
    await s3.close()
  })
  return {
    blobs,
    hold: keys => {
      const paths = new Set(keys.map(key => `/blobs/${key}`))
      s3.fault = ({ method, path }, response) =>
        method === 'DELETE' && paths.has(path.split('?')[0]!) && refuse(response, 403, 'AccessDenied')
    },
    letGo: () => {
      s3.fault = null
    },
  }
}

describe.each([
  ['SQLite', onSqlite],
  ['PostgreSQL', onPostgres],
])('with %s', (_store, openStore) => {
  test.each([
    ['files', inFiles],
    ['S3', inS3],
  ])('more undeletable blobs in %s than fit in a batch do not block the others', async (_place, open) => {
    const clock = new VirtualClock(Date.now())
    const store = await openStore(clock)
    const scene = new Scene(clock, { store, isShared: false, close: () => store.close(), reopen: async () => store })
    onTestFinished(() => store.close())
    const { blobs, hold, letGo } = await open()
    const putOne = async () => (await blobs.put(inChunks(sampleBytes(10), 10))).key
    // Not all at once: on a busy machine the last ones would wait longer for a connection than the store does.
    const keys: string[] = []
    while (keys.length < 560) keys.push(...(await Promise.all(Array.from({ length: 40 }, putOne))))
    const job = await scene.start()
    const parts = keys.map((blobKey, index) => logPart(index + 1, index + 1, { blobKey }))
    await store.addLogParts({ lease: leaseOf(job), parts })
    await scene.end(job)
    await store.purgeJob({ workspace: WORKSPACE, jobId: job.id })
    const doomed = async () => (await store.listDoomedBlobs({ limit: 10_000 })).keys
    const inOrder = await doomed()
    expect(inOrder).toHaveLength(560)
    const held = inOrder.slice(0, 530)
    hold(held)
    const collector = createGarbageCollector({ store, blobs, clock, logger: silentLogger })
    await expect(collector.runOnce()).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await doomed()).toEqual(held)
    letGo()
    expect(await collector.runOnce()).toMatchObject({ doomed: 530 })
    expect(await doomed()).toEqual([])
  })
})
