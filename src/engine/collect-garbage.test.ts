import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { inChunks, sampleBytes } from '../../test/blobs/content.ts'
import { leaseOf, logPart, newJob, Scene, WORKSPACE } from '../../test/conformance/suite/scene.ts'
import { VirtualClock } from '../../test/conformance/virtual-clock.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { createUploads } from '../data/uploads.ts'
import { silentLogger } from '../kernel/logger.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { createArtifactKeeper } from './artifacts.ts'
import { createGarbageCollector, type GarbageCollector } from './collect-garbage.ts'

const HOUR = 3_600_000

let directory: string
let scene: Scene
let blobs: BlobStore
let collector: GarbageCollector

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-garbage-'))
  const clock = new VirtualClock(Date.now())
  const store = await openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  scene = new Scene(clock, { store, isShared: false, close: () => store.close(), reopen: async () => store })
  blobs = await openFileBlobStore({ directory: join(directory, 'blobs') })
  collector = createGarbageCollector({ store, blobs, clock, logger: silentLogger })
})

afterEach(async () => {
  await collector.stop()
  await scene.close()
  rmSync(directory, { recursive: true, force: true })
})

const keys = async () => (await Array.fromAsync(blobs.listOlderThan(Date.now() + HOUR))).flat()

const addArtifact = async (jobId: string, size: number): Promise<string> => {
  const keeper = createArtifactKeeper({ store: scene.store, blobs, clock: scene.clock, maxBytes: 1e6 })
  const content = inChunks(sampleBytes(size), 1000)
  const { id } = await keeper.add({ workspace: WORKSPACE, jobId, name: `${size}`, contentType: 'a/b', content })
  return (await scene.store.getArtifact({ workspace: WORKSPACE, jobId, artifactId: id }))!.blobKey
}

const putBlob = async (): Promise<string> => (await blobs.put(inChunks(sampleBytes(10), 10))).key

/** As if the blob had been written that long ago. */
const age = (key: string, hours: number): void => {
  const time = new Date(Date.now() - hours * HOUR)
  utimesSync(join(directory, 'blobs', key.slice(0, 2), key), time, time)
}

const purge = (jobId: string) => scene.store.purgeJob({ workspace: WORKSPACE, jobId })

test('content is deleted with the last artifact that refers to it, not before', async () => {
  const [one, two] = [await scene.finished(), await scene.finished()]
  const shared = await addArtifact(one.id, 1000)
  expect(await addArtifact(two.id, 1000)).toBe(shared)
  await purge(one.id)
  expect(await collector.runOnce()).toEqual({ doomed: 0, orphans: 0 })
  expect(await keys()).toEqual([shared])
  await purge(two.id)
  expect(await collector.runOnce()).toEqual({ doomed: 1, orphans: 0 })
  expect([await keys(), (await scene.store.listDoomedBlobs({ limit: 10 })).keys]).toEqual([[], []])
})

test('log segments are deleted with their job', async () => {
  const [segment, other] = [await putBlob(), await putBlob()]
  const job = await scene.start()
  await scene.store.addLogParts({ lease: leaseOf(job), parts: [logPart(1, 2, { blobKey: segment })] })
  await scene.end(job)
  await purge(job.id)
  expect(await collector.runOnce()).toEqual({ doomed: 1, orphans: 0 })
  expect(await keys()).toEqual([other])
})

test('one run deletes more than one batch of doomed blobs', async () => {
  const job = await scene.start()
  const doomed = await Promise.all(Array.from({ length: 620 }, putBlob))
  const parts = doomed.map((blobKey, i) => logPart(i + 1, i + 1, { blobKey }))
  await scene.store.addLogParts({ lease: leaseOf(job), parts })
  await scene.end(job)
  await purge(job.id)
  expect(await collector.runOnce()).toEqual({ doomed: 620, orphans: 0 })
  expect(await keys()).toEqual([])
})

test('blobs left by a crash before they were stored are deleted after a day, younger and known ones are kept', async () => {
  const job = await scene.finished()
  const [known, orphan, young] = [await addArtifact(job.id, 500), await putBlob(), await putBlob()]
  for (const key of [known, orphan]) age(key, 25)
  age(young, 23)
  expect(await collector.runOnce()).toEqual({ doomed: 0, orphans: 1 })
  expect((await keys()).sort()).toEqual([known, young].sort())
})

test('an upload is kept until the import that reads it has ended', async () => {
  const uploads = createUploads({ blobs, key: Buffer.alloc(32) })
  const content = inChunks(sampleBytes(10), 10)
  const { url } = await uploads.put({ workspace: WORKSPACE, content, maxBytes: 100 })
  const [key] = await keys()
  age(key!, 25)
  const spec = JSON.stringify({ import: { datasource: 'events', url } })
  const job = newJob({ kind: 'import', spec })
  await scene.store.submitJobs({ jobs: [job], maxQueued: 10 })
  expect(await collector.runOnce()).toEqual({ doomed: 0, orphans: 0 })
  await scene.store.cancelJob({ workspace: WORKSPACE, jobId: job.id, reason: 'cancelled_by_user', graceMs: null })
  expect(await collector.runOnce()).toEqual({ doomed: 0, orphans: 1 })
})

test('content that is already deleted does not keep the rest from being collected', async () => {
  const job = await scene.finished()
  const [gone, there] = [await addArtifact(job.id, 100), await addArtifact(job.id, 200)]
  await blobs.delete(gone)
  await purge(job.id)
  expect(await collector.runOnce()).toEqual({ doomed: 2, orphans: 0 })
  expect(await keys()).not.toContain(there)
})

test('content that the blob store cannot delete stays listed, and the rest is deleted', async () => {
  const jobs = [await scene.finished(), await scene.finished()] as const
  const stuck = await Promise.all(Array.from({ length: 25 }, (_, index) => addArtifact(jobs[0].id, 100 + index)))
  for (const size of [200, 300, 400]) await addArtifact(jobs[1].id, size)
  for (const { id } of jobs) await purge(id)
  const paths = stuck.map(key => join(directory, 'blobs', key.slice(0, 2), key))
  for (const path of paths) {
    // A folder in its place cannot be removed like a file.
    rmSync(path)
    mkdirSync(path)
  }
  await expect(collector.runOnce()).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect((await scene.store.listDoomedBlobs({ limit: 100 })).keys.toSorted()).toEqual(stuck.toSorted())
  for (const path of paths) rmSync(path, { recursive: true })
  expect(await collector.runOnce()).toMatchObject({ doomed: 25 })
  expect((await scene.store.listDoomedBlobs({ limit: 10 })).keys).toEqual([])
})

test('an unavailable blob store is not asked for each blob', async () => {
  const job = await scene.finished()
  for (let size = 0; size < 25; size++) await addArtifact(job.id, size)
  await purge(job.id)
  let asked = 0
  const remove = (key: string) => {
    asked++
    return blobs.delete(key)
  }
  const { store, clock } = scene
  const other = createGarbageCollector({ store, blobs: { ...blobs, delete: remove }, clock, logger: silentLogger })
  renameSync(join(directory, 'blobs'), join(directory, 'away'))
  writeFileSync(join(directory, 'blobs'), '')
  await expect(other.runOnce()).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(asked).toBe(10)
  rmSync(join(directory, 'blobs'))
  renameSync(join(directory, 'away'), join(directory, 'blobs'))
  expect(await other.runOnce()).toMatchObject({ doomed: 25 })
})

test('it collects by itself once started, and stops when stopped', async () => {
  const job = await scene.finished()
  await addArtifact(job.id, 100)
  await purge(job.id)
  collector.start()
  await expect.poll(keys, { timeout: 20_000 }).toEqual([])
  await Promise.all([collector.stop(), collector.stop()])
  expect((await scene.store.listDoomedBlobs({ limit: 10 })).keys).toEqual([])
})
