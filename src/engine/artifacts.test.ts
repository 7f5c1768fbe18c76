import { execFileSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { inChunks, readAll, sampleBytes, sha256 } from '../../test/blobs/content.ts'
import { retryIn, Scene, WORKSPACE } from '../../test/conformance/suite/scene.ts'
import { VirtualClock } from '../../test/conformance/virtual-clock.ts'
import type { BlobStore } from '../blobs/blob-store.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { silentLogger } from '../kernel/logger.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { createArtifactKeeper } from './artifacts.ts'
import { createGarbageCollector } from './collect-garbage.ts'
import type { NewArtifact } from './engine.ts'

const MAX_BYTES = 1_000_000

let directory: string
let scene: Scene
let blobs: BlobStore

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-artifacts-'))
  const clock = new VirtualClock(Date.now())
  const store = await openSqliteStore({ path: join(directory, 'millrace.db'), clock })
  scene = new Scene(clock, { store, isShared: false, close: () => store.close(), reopen: async () => store })
  blobs = await openFileBlobStore({ directory: join(directory, 'blobs') })
})

afterEach(async () => {
  await scene.close()
  rmSync(directory, { recursive: true, force: true })
})

const add = (jobId: string, overrides: Partial<NewArtifact> = {}, maxBytes = MAX_BYTES) => {
  const { store, clock } = scene
  const keeper = createArtifactKeeper({ store, blobs, clock, maxBytes })
  const content = inChunks(sampleBytes(5000), 1000)
  return keeper.add({ workspace: WORKSPACE, jobId, name: 'a.bin', contentType: 'text/csv', content, ...overrides })
}

const listed = (jobId: string) => scene.store.listArtifacts({ workspace: WORKSPACE, jobId })
const blobKeys = async () => (await Array.fromAsync(blobs.listOlderThan(Date.now() + 3_600_000))).flat()

/** Content that records whether it was read. */
const watched = (bytes: Uint8Array) => {
  const state = { read: false }
  async function* content() {
    state.read = true
    yield bytes
  }
  return { state, content: content() }
}

test('an upload becomes an artifact with size and hash, and its content is read back', async () => {
  const job = await scene.start()
  const artifact = await add(job.id, { name: 'out/ü.csv', attempt: 1 })
  const bytes = sampleBytes(5000)
  expect(artifact).toMatchObject({ name: 'out/ü.csv', size: 5000, sha256: sha256(bytes), contentType: 'text/csv' })
  expect(artifact.createdAt).toBe(scene.clock.now())
  expect(await listed(job.id)).toEqual([artifact])
  const found = await scene.store.getArtifact({ workspace: WORKSPACE, jobId: job.id, artifactId: artifact.id })
  expect((await readAll(await blobs.get(found!.blobKey))).equals(bytes)).toBe(true)
})

test('the same content is stored once, whatever jobs and names it has', async () => {
  const [one, two] = [await scene.start(), await scene.start()]
  await Promise.all([add(one.id), add(one.id, { name: 'b' }), add(two.id), add(two.id, { name: 'b' })])
  expect(await blobKeys()).toHaveLength(1)
  expect([await listed(one.id), await listed(two.id)].map(list => list?.length)).toEqual([2, 2])
})

test('lost content that is uploaded several times at once is stored once, even if its last artifact is purged meanwhile', async () => {
  const { store, clock } = scene
  const garbage = createGarbageCollector({ store, blobs, clock, logger: silentLogger })
  for (let round = 0; round < 12; round++) {
    const bytes = sampleBytes(3000 + round)
    const sent = (jobId: string, name: string) => add(jobId, { name, content: inChunks(bytes, 500 + 100 * round) })
    const [former, job] = [await scene.finished(), await scene.finished()]
    await sent(former.id, 'lost')
    const [lost] = await blobKeys()
    await blobs.delete(lost!)
    const purge = async () => {
      await store.purgeJob({ workspace: WORKSPACE, jobId: former.id })
      await garbage.runOnce()
    }
    const sending = ['a', 'b', 'c', 'd'].map(name => sent(job.id, name))
    // Before, during and after the uploads.
    if (round % 3 === 0) await purge()
    if (round % 3 === 1) await sending[0]!.then(purge)
    const [first] = await Promise.all(sending)
    if (round % 3 === 2) await purge()
    await garbage.runOnce()
    const { blobKey } = (await store.getArtifact({ workspace: WORKSPACE, jobId: job.id, artifactId: first!.id }))!
    expect(await blobKeys()).toEqual([blobKey])
    expect((await readAll(await blobs.get(blobKey))).equals(bytes)).toBe(true)
    await store.purgeJob({ workspace: WORKSPACE, jobId: job.id })
    await garbage.runOnce()
    expect(await blobKeys()).toEqual([])
  }
})

test('an invalid name is refused before anything is read', async () => {
  const job = await scene.start()
  for (const name of ['../up', '/etc/passwd', 'a\\b', '', 'a\nb']) {
    const { state, content } = watched(sampleBytes(10))
    await expect(add(job.id, { name, content })).rejects.toMatchObject({ code: 'invalid', errors: [{ path: 'name' }] })
    expect(state.read).toBe(false)
  }
})

test('an unknown job, another attempt and an ended attempt are refused before the upload', async () => {
  const job = await scene.start()
  const ended = await scene.finished()
  const cases = [
    [job.id, { workspace: 'other' }, 'not_found'],
    ['00000000-0000-7000-8000-000000000000', {}, 'not_found'],
    [job.id, { attempt: 2 }, 'job_not_running'],
    [ended.id, { attempt: 1 }, 'job_not_running'],
  ] as const
  for (const [jobId, overrides, code] of cases) {
    const { state, content } = watched(sampleBytes(10))
    await expect(add(jobId, { content, ...overrides })).rejects.toMatchObject({ code })
    expect(state.read).toBe(false)
  }
  expect(await blobKeys()).toEqual([])
})

test('a taken name is refused early in a large upload, and at the end of a small one', async () => {
  const job = await scene.start()
  await add(job.id, { name: 'taken' })
  let sent = 0
  async function* large() {
    for (; sent < 64; sent++) yield sampleBytes(1024 * 1024)
  }
  await expect(add(job.id, { name: 'taken', content: large() }, 1e9)).rejects.toMatchObject({ code: 'artifact_exists' })
  expect(sent).toBeLessThan(10)
  await expect(add(job.id, { name: 'taken' })).rejects.toMatchObject({ code: 'artifact_exists' })
  expect(await blobKeys()).toHaveLength(1)
})

test('a large upload of an attempt replaces that of an earlier attempt', async () => {
  const first = await scene.start()
  await add(first.id, { name: 'report', attempt: 1 })
  await scene.end(first, retryIn(0))
  await scene.store.promoteDueJobs({ limit: 10 })
  await scene.claimOne()
  const content = inChunks(sampleBytes(9 * 1024 * 1024), 1024 * 1024)
  const report = await add(first.id, { name: 'report', attempt: 2, content }, 1e9)
  expect(await listed(first.id)).toEqual([report])
  expect(report).toMatchObject({ attempt: 2, size: 9 * 1024 * 1024 })
})

test('a refused stream is closed, and one that fails meanwhile does not crash the process', async () => {
  const job = await scene.start()
  const refused = createReadStream(import.meta.filename)
  await expect(add(job.id, { attempt: 7, content: refused })).rejects.toMatchObject({ code: 'job_not_running' })
  expect(refused.destroyed).toBe(true)
  const missing = createReadStream(join(directory, 'not there'))
  await expect(add(job.id, { content: missing })).rejects.toMatchObject({ code: 'ENOENT' })
  const failing = createReadStream(join(directory, 'not there'))
  const wrong = add(job.id, { name: '..', content: failing })
  await expect(wrong).rejects.toMatchObject({ code: 'invalid' })
  await expect.poll(() => failing.closed).toBe(true)
  expect(await blobKeys()).toEqual([])
})

test('a user adds artifacts in any status, an attempt only until the end of its grace period', async () => {
  const ended = await scene.finished()
  await add(ended.id)
  const job = await scene.start()
  await scene.cancel(job.id)
  await add(job.id, { attempt: 1 })
  expect([await listed(ended.id), await listed(job.id)].map(list => list?.length)).toEqual([1, 1])
})

test('of two uploads of one name at once one is added, and the content of the other is deleted', async () => {
  const job = await scene.start()
  const uploads = [1, 2, 3].map(size => add(job.id, { content: inChunks(sampleBytes(size), 10) }))
  const outcomes = await Promise.allSettled(uploads)
  const codes = outcomes.map(outcome => (outcome.status === 'fulfilled' ? 'added' : outcome.reason.code))
  expect(codes.sort()).toEqual(['added', 'artifact_exists', 'artifact_exists'])
  expect(await blobKeys()).toHaveLength(1)
  expect(await listed(job.id)).toHaveLength(1)
})

test('an attempt that ends during its upload adds nothing (invariant 2)', async () => {
  const job = await scene.start()
  async function* content() {
    yield sampleBytes(10)
    await scene.end(job)
    yield sampleBytes(10)
  }
  await expect(add(job.id, { attempt: 1, content: content() })).rejects.toMatchObject({ code: 'job_not_running' })
  expect([await listed(job.id), await blobKeys()]).toEqual([[], []])
})

test('invariant 9: an upload that breaks off or is too large leaves nothing visible', async () => {
  const job = await scene.start()
  async function* cutOff() {
    yield sampleBytes(500_000)
    throw new Error('connection reset')
  }
  await expect(add(job.id, { content: cutOff() })).rejects.toThrow('connection reset')
  const tooLarge = inChunks(sampleBytes(MAX_BYTES + 1), 100_000)
  await expect(add(job.id, { content: tooLarge })).rejects.toMatchObject({ code: 'too_large' })
  expect([await listed(job.id), await blobKeys()]).toEqual([[], []])
})

test('a content type is kept if it is valid in a header', async () => {
  const job = await scene.start()
  const unknown = 'application/octet-stream'
  const kept = {
    'text/html; charset=utf-8': 'text/html; charset=utf-8',
    'image/svg+xml': 'image/svg+xml',
    'text/plain\r\nx: y': unknown,
    nonsense: unknown,
    '': unknown,
    'text/ü': unknown,
  }
  for (const [given, expected] of Object.entries(kept))
    expect((await add(job.id, { name: `as ${given.trim().length}`, contentType: given })).contentType).toBe(expected)
})

test('a full disk is insufficient_storage and leaves nothing', async context => {
  const mount = mkdtempSync(join(tmpdir(), 'millrace-small-'))
  onTestFinished(() => rmdirSync(mount))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', mount], { stdio: 'ignore' })
  } catch {
    return context.skip('needs root and mount(8) for a small tmpfs')
  }
  onTestFinished(() => {
    execFileSync('umount', ['--lazy', mount])
  })
  blobs = await openFileBlobStore({ directory: mount })
  const job = await scene.start()
  const large = inChunks(sampleBytes(900_000), 100_000)
  await expect(add(job.id, { content: large })).rejects.toMatchObject({ code: 'insufficient_storage', status: 507 })
  expect([await listed(job.id), readdirSync(join(mount, 'tmp'))]).toEqual([[], []])
  expect((await add(job.id)).size).toBe(5000)
})
