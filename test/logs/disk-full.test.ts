import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { WORKSPACE } from '../conformance/suite/scene.ts'
import { canMount, mountSmallDisk, type SmallDisk } from '../survive/small-disk.ts'
import { LogScene, openStore } from './log-scene.ts'

describe.skipIf(!canMount)('a log on a disk that is full (needs root and mount(8) for a small tmpfs)', () => {
  let opened: Awaited<ReturnType<typeof openStore>>
  let disk: SmallDisk
  let scene: LogScene
  beforeAll(async () => {
    opened = await openStore()
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    disk = mountSmallDisk(16)
    await mkdir(join(disk.path, 'data'))
    const blobs = await openFileBlobStore({ directory: join(disk.path, 'blobs') })
    scene = await LogScene.open({ store: opened.store, blobs, dataDir: join(disk.path, 'data') })
  })
  afterEach(async () => {
    await scene.close()
    disk.unmount()
  })

  /** Lines that zstd cannot shrink much. */
  const noise = (lines: number) =>
    Buffer.from(Array.from({ length: lines }, () => `${randomBytes(96).toString('base64')}\n`).join(''))

  test('rejects the write with ENOSPC, and what was written before stays', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', Buffer.from('before\n'))
    const writing = (async () => {
      for (;;) await log.write('stdout', noise(500))
    })()
    await expect(writing).rejects.toMatchObject({ code: 'ENOSPC' })
    await expect(Promise.resolve(log.write('stdout', Buffer.from('more\n')))).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(log.fault).toMatchObject({ code: 'ENOSPC' })
    await scene.end(job, log)
    const parts = await scene.parts(job.id)
    expect(parts.at(-1)!.lastSeq).toBeGreaterThan(1000)
    const seqs = (await scene.lines(job.id)).map(line => line.seq)
    expect(seqs).toEqual(Array.from({ length: parts.at(-1)!.lastSeq }, (_, i) => i + 1))
    const page = await scene.logs.page({ workspace: WORKSPACE, jobId: job.id, after: 0, limit: 1 })
    expect(page!.lines[0]!.line).toBe('before')
    expect(await scene.spoolFiles()).toEqual([])
  })

  test('reports a disk that was full at the last write, even if no other write follows', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    disk.fill()
    const written = log.write('stdout', Buffer.alloc(100_000, 'x\n'))
    await Promise.resolve(written).catch(() => {})
    await scene.end(job, log)
    expect(log.fault).toMatchObject({ code: 'ENOSPC' })
  })
})
