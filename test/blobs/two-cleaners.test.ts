import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { BlobStore } from '../../src/blobs/blob-store.ts'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { openS3BlobStore } from '../../src/blobs/s3/s3-blob-store.ts'
import { createArtifactKeeper } from '../../src/engine/artifacts.ts'
import { createGarbageCollector } from '../../src/engine/collect-garbage.ts'
import { keepResult } from '../../src/engine/keep-result.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { Scene, WORKSPACE } from '../conformance/suite/scene.ts'
import { VirtualClock } from '../conformance/virtual-clock.ts'
import { createTestDatabase, type TestDatabase } from '../test-database.ts'
import { inChunks, readAll, sampleBytes } from './content.ts'
import { S3_KEYS, startS3Server } from './s3-server.ts'

const inFiles = async (): Promise<BlobStore> => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-cleaners-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return openFileBlobStore({ directory })
}

const inS3 = async (): Promise<BlobStore> => {
  const s3 = await startS3Server('blobs')
  const options = { bucket: 'blobs', prefix: '', region: 'us-east-1', endpoint: s3.endpoint, forcePathStyle: true }
  const blobs = await openS3BlobStore({ ...options, credentials: S3_KEYS })
  onTestFinished(async () => {
    blobs.close()
    await s3.close()
  })
  return blobs
}

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const KEPT_MS = 1000

describe.each([
  ['in files', inFiles],
  ['in S3', inS3],
])('two servers that collect garbage %s at once', (_where, open) => {
  test('delete each expired blob once, and nothing that is uploaded again meanwhile', async () => {
    await database.renew()
    const blobs = await open()
    const clock = new VirtualClock(Date.now())
    const stores = await Promise.all(
      ['one', 'other'].map(processName => openPostgresStore({ url: database.url, processName, clock })),
    )
    const [store] = stores as [(typeof stores)[0], ...typeof stores]
    const scene = new Scene(clock, { store, isShared: true, close: () => store.close(), reopen: async () => store })
    onTestFinished(async () => void (await Promise.all(stores.map(each => each.close()))))
    const cleaners = stores.map(each => ({
      store: each,
      garbage: createGarbageCollector({ store: each, blobs, clock, logger: silentLogger }),
    }))
    const exit = { exitCode: 0, signal: null }
    const jobs = []
    for (let index = 0; index < 30; index++) {
      const content = sampleBytes(70_000 + index)
      const result = await keepResult({ blobs, keptMs: KEPT_MS, format: 'csv', content })
      jobs.push(await scene.finished({}, { type: 'complete', exit, statistics: null, result }))
    }
    const keeper = createArtifactKeeper({ store, blobs, clock, maxBytes: 1e6 })
    const addAgain = async (jobId: string, name: string) => {
      const content = inChunks(sampleBytes(50_000), 9_000)
      const { id } = await keeper.add({ workspace: WORKSPACE, jobId, name, contentType: 'a/b', content })
      return { workspace: WORKSPACE, jobId, artifactId: id }
    }
    const [first, ...others] = jobs
    await addAgain(first!.id, 'doomed')
    clock.advance(KEPT_MS + 1)

    const added: ReturnType<typeof addAgain>[] = []
    await Promise.all([
      ...cleaners.map(async cleaner => {
        while ((await cleaner.store.purgeResults({ limit: 4 })) > 0) await cleaner.garbage.runOnce()
        await cleaner.garbage.runOnce()
      }),
      (async () => {
        // The last artifact of this content is purged while others with the same content arrive.
        added.push(addAgain(others[0]!.id, 'before'))
        await stores[1]!.purgeJob({ workspace: WORKSPACE, jobId: first!.id })
        added.push(addAgain(others[1]!.id, 'after'))
        await Promise.all(added)
      })(),
    ])
    for (const cleaner of cleaners) await cleaner.garbage.runOnce()

    expect((await store.listDoomedBlobs({ limit: 10 })).keys).toEqual([])
    for (const { id } of others) expect(await store.getResult({ workspace: WORKSPACE, jobId: id })).toBe('expired')
    const kept = new Set<string>()
    for (const artifact of await Promise.all(added)) {
      const { blobKey } = (await store.getArtifact(artifact))!
      expect((await readAll(await blobs.get(blobKey))).equals(sampleBytes(50_000))).toBe(true)
      kept.add(blobKey)
    }
    expect(new Set((await Array.fromAsync(blobs.listOlderThan(Date.now() + 3_600_000))).flat())).toEqual(kept)
  })
})
