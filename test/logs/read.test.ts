import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { retryIn, WORKSPACE } from '../conformance/suite/scene.ts'
import { LogScene, numberedLines, openStore } from './log-scene.ts'

let opened: Awaited<ReturnType<typeof openStore>>
let scene: LogScene
beforeAll(async () => {
  opened = await openStore()
})
afterAll(() => opened.close())
beforeEach(async () => {
  scene = await LogScene.open({ store: opened.store })
})
afterEach(() => scene.close())

const bytes = (text: string) => Buffer.from(text)
const seqs = (page: { lines: readonly { seq: number }[] } | null) => page!.lines.map(line => line.seq)

/** Ten lines: odd ones on stdout, even ones on stderr, `needle` in 3 and 8; a second attempt from 6 on. */
const twoAttempts = async (): Promise<ClaimedJob> => {
  const write = async (job: ClaimedJob, from: number, end?: ReturnType<typeof retryIn>) => {
    const log = scene.openLog(job)
    for (let seq = from; seq < from + 5; seq++) {
      const text = seq === 3 || seq === 8 ? `has the Needle ${seq}\n` : `line ${seq}\n`
      await log.write(seq % 2 === 1 ? 'stdout' : 'stderr', bytes(text))
    }
    await scene.end(job, log, end)
  }
  const first = await scene.start(2)
  await write(first, 1, retryIn(0))
  await write(await scene.claim(), 6)
  return first
}

const page = (jobId: string, query: object = {}, logs = scene.logs) =>
  logs.page({ workspace: WORKSPACE, jobId, after: 0, limit: 100, ...query })

describe('a page of a log', () => {
  test('starts after a line, has at most the limit, and returns where to continue', async () => {
    const { id } = await twoAttempts()
    const first = await page(id, { limit: 4 })
    expect(seqs(first)).toEqual([1, 2, 3, 4])
    expect(first!.nextAfter).toBe(4)
    expect(seqs(await page(id, { after: 4, limit: 4 }))).toEqual([5, 6, 7, 8])
    const last = await page(id, { after: 8, limit: 2 })
    expect(seqs(last)).toEqual([9, 10])
    expect(last!.nextAfter).toBeNull()
    expect(await page(id, { after: 10 })).toEqual({ lines: [], nextAfter: null, purged: false })
  })

  test.each([
    [{ stream: 'stderr' }, [2, 4, 6, 8, 10]],
    [{ attempt: 1 }, [1, 2, 3, 4, 5]],
    [{ attempt: 2, stream: 'stdout' }, [7, 9]],
    [{ attempt: 3 }, []],
    [{ q: 'NEEDLE' }, [3, 8]],
    [{ q: 'needle', attempt: 2 }, [8]],
    [{ q: 'nothing of the kind' }, []],
    [{ tail: 3 }, [8, 9, 10]],
    [{ tail: 50 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    [{ tail: 2, stream: 'stdout' }, [7, 9]],
    [{ tail: 2, attempt: 1 }, [4, 5]],
    [{ tail: 1, q: 'needle', attempt: 1 }, [3]],
  ])('filters: %j', async (query, expected) => {
    const { id } = await twoAttempts()
    const found = await page(id, query)
    expect(seqs(found)).toEqual(expected)
    expect(found!.nextAfter).toBeNull()
  })

  test('of a running job has the spooled lines, and always returns where to continue', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    expect(await page(job.id)).toEqual({ lines: [], nextAfter: 0, purged: false })
    await log.write('stdout', bytes(numberedLines(50)))
    await log.write('stdout', bytes('not ended'))
    await expect.poll(async () => seqs(await page(job.id)).length).toBe(50)
    expect((await page(job.id))!.nextAfter).toBe(50)
    expect(seqs(await page(job.id, { tail: 2 }))).toEqual([49, 50])
    expect(await page(job.id, { after: 50 })).toEqual({ lines: [], nextAfter: 50, purged: false })
    await scene.end(job, log)
    expect((await page(job.id, { after: 50 }))!.lines.map(line => line.line)).toEqual(['not ended'])
  })

  test('of another workspace’s job does not exist', async () => {
    const { id } = await twoAttempts()
    const running = await scene.start()
    const log = scene.openLog(running)
    await log.write('stdout', bytes('secret\n'))
    await expect.poll(async () => seqs(await page(running.id))).toEqual([1])
    for (const jobId of [id, running.id, '01a200b0-0000-7000-8000-000000000000']) {
      expect(await page(jobId, { workspace: 'another' })).toBeNull()
      expect(await page(jobId, { workspace: 'another', tail: 5 })).toBeNull()
      expect(await scene.logs.download({ workspace: 'another', jobId, format: 'text' })).toBeNull()
    }
    await scene.end(running, log)
  })

  test('is searched in bounded steps, which find every match in a large log', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    for (let i = 0; i < 250; i++) await log.write('stdout', bytes(numberedLines(2000, i * 2000 + 1)))
    await scene.end(job, log)
    const found: number[] = []
    let steps = 0
    for (let after: number | null = 0; after !== null; steps++) {
      const step: Awaited<ReturnType<typeof page>> = await page(job.id, { after, q: 'LINE 499999 ' })
      found.push(...seqs(step))
      after = step!.nextAfter
    }
    expect(found).toEqual([499_999])
    expect(steps).toBeGreaterThan(1)
    expect(seqs(await page(job.id, { tail: 3 }))).toEqual([499_998, 499_999, 500_000])
    expect(seqs(await page(job.id, { after: 250_000, limit: 2 }))).toEqual([250_001, 250_002])
  })

  test('of a log removed by retention says so', async () => {
    const { id } = await twoAttempts()
    await scene.store.purgeLogs({ endedBefore: Date.now() + 60_000, limit: 1000 })
    expect(await page(id)).toEqual({ lines: [], nextAfter: null, purged: true })
    expect(await page(id, { tail: 5 })).toEqual({ lines: [], nextAfter: null, purged: true })
  })
})

test('of a log with a missing part in the blob store says so', async () => {
  const job = await scene.start()
  const log = scene.openLog(job)
  for (let i = 0; i < 20; i++) await log.write('stdout', bytes(numberedLines(2000, i * 2000 + 1)))
  await scene.end(job, log)
  const keys = (await scene.parts(job.id)).flatMap(({ blobKey }) => blobKey ?? [])
  expect(keys.length).toBeGreaterThan(0)
  const blobs = await openFileBlobStore({ directory: join(scene.directory, 'blobs') })
  await Promise.all(keys.map(key => blobs.delete(key)))
  await expect(page(job.id)).rejects.toMatchObject({
    code: 'content_damaged',
    message: `A part of the log, the blob ${keys[0]}, is gone from the blob store.`,
  })
})

describe('a download', () => {
  const download = async (jobId: string, query: object) => {
    const content = await scene.logs.download({ workspace: WORKSPACE, jobId, format: 'text', ...query })
    return Buffer.concat(await Array.fromAsync(content!)).toString()
  }

  test('as text has the bytes that were written, with long lines whole', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    const text = `short\r\n${'long'.repeat(50_000)}\n\u001b[1mbold\u001b[0m\nlast`
    await log.write('stdout', bytes(text))
    await scene.end(job, log)
    expect(await download(job.id, {})).toBe(`${text}\n`)
  })

  test('can be filtered like a page', async () => {
    const { id } = await twoAttempts()
    expect(await download(id, { stream: 'stderr', attempt: 1 })).toBe('line 2\nline 4\n')
    expect(await download(id, { q: 'needle' })).toBe('has the Needle 3\nhas the Needle 8\n')
  })

  test('as NDJSON has one object per line', async () => {
    const { id } = await twoAttempts()
    const objects = (await download(id, { format: 'ndjson' }))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(objects).toHaveLength(10)
    expect(objects[7]).toEqual({
      seq: 8,
      attempt: 2,
      stream: 'stderr',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      line: 'has the Needle 8',
    })
  })

  test('of a running job ends at the current end of the log', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes('one\ntwo\n'))
    await expect.poll(async () => seqs(await page(job.id)).length).toBe(2)
    expect(await download(job.id, {})).toBe('one\ntwo\n')
    await scene.end(job, log)
  })
})
