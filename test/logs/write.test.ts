import { appendFile, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { INLINE_LOG_BYTES } from '../../src/model/log-line.ts'
import { leaseOf, retryIn, WORKSPACE } from '../conformance/suite/scene.ts'
import { eventually, LogScene, numberedLines, openStore } from './log-scene.ts'

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

describe('writing a log', () => {
  test('an attempt without output leaves no part and no file', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    expect(await log.finish()).toEqual([])
    await log.dispose()
    expect(await scene.spoolFiles()).toEqual([])
  })

  test('a small log becomes one inline part, and its spool file is removed', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes('one\ntwo\n'))
    await log.write('stderr', bytes('three\n'))
    const parts = await log.finish()
    expect(parts).toHaveLength(1)
    expect(parts[0]).toMatchObject({ firstSeq: 1, lastSeq: 3, attempt: 1, bytes: 14, blobKey: null })
    await scene.end(job, log)
    expect(await scene.spoolFiles()).toEqual([])
    expect((await scene.lines(job.id)).map(({ seq, stream, line }) => [seq, stream, line])).toEqual([
      [1, 'stdout', 'one'],
      [2, 'stdout', 'two'],
      [3, 'stderr', 'three'],
    ])
  })

  test('a large log is sealed in compressed segments while it is written', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    for (let i = 0; i < 120; i++) await log.write('stdout', bytes(numberedLines(2000, i * 2000 + 1)))
    await scene.end(job, log)
    const parts = await scene.parts(job.id)
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.at(-1)!.lastSeq).toBe(240_000)
    for (const part of parts.slice(0, -1)) expect(part.blobKey).not.toBeNull()
    expect(await scene.texts(job.id)).toEqual(numberedLines(240_000).trimEnd().split('\n'))
    expect(await scene.spoolFiles()).toEqual([])
  })

  test('lines of both streams and of all attempts are numbered consecutively', async () => {
    const first = await scene.start(2)
    const log = scene.openLog(first)
    await log.write('stdout', bytes('a\nb'))
    await scene.end(first, log, retryIn(0))
    const second = await scene.claim()
    expect(second.nextLogSeq).toBe(3)
    const again = scene.openLog(second)
    await again.write('stderr', bytes('c\n'))
    await scene.end(second, again)
    expect((await scene.lines(first.id)).map(({ seq, attempt, line }) => [seq, attempt, line])).toEqual([
      [1, 1, 'a'],
      [2, 1, 'b'],
      [3, 2, 'c'],
    ])
  })

  test('secrets are masked before anything is stored', async () => {
    const job = await scene.start()
    const log = scene.openLog(job, ['correct-horse'])
    await log.write('stdout', bytes('token corr'))
    await log.write('stdout', bytes(`ect-horse and ${Buffer.from('correct-horse').toString('base64')}\n`))
    await log.note('could not use correct-horse')
    await eventually(async () => (await scene.spooledBytes()).includes('millrace'))
    expect((await scene.spooledBytes()).toString()).not.toMatch(/horse|Y29ycmVj/)
    await scene.end(job, log)
    const [output, note] = await scene.texts(job.id)
    expect(output).toMatch(/^token \*\*\* and \*\*\*/)
    expect(note).toBe('millrace: could not use ***')
  })

  test('output beyond the limit is drained, and one line says so', async () => {
    const small = await LogScene.open({ store: opened.store, maxBytes: 2048 })
    try {
      const job = await small.start(2)
      const log = small.openLog(job)
      for (let i = 0; i < 100; i++) await log.write('stdout', bytes(`${'x'.repeat(99)}\n`))
      await small.end(job, log, retryIn(0))
      const lines = await small.lines(job.id)
      expect(lines).toHaveLength(21)
      expect(lines[20]).toMatchObject({
        stream: 'stderr',
        line: 'millrace: log limit of 2 KiB reached; the rest of the output is not kept',
      })
      const second = await small.claim()
      const again = small.openLog(second)
      await again.write('stdout', bytes(`${'y'.repeat(99)}\n`))
      await small.end(second, again)
      expect((await small.texts(job.id)).slice(21)).toEqual([lines[20]!.line])
    } finally {
      await small.close()
    }
  })

  test('a log whose lease is lost stops silently', async () => {
    const job = await scene.start()
    const log = scene.logs.open({
      workspace: WORKSPACE,
      lease: { ...leaseOf(job), leaseToken: 'another' },
      firstSeq: 1,
      mask: [],
    })
    for (let i = 0; i < 200; i++) await log.write('stdout', bytes(numberedLines(2000)))
    await log.finish()
    await log.dispose()
    expect(await scene.parts(job.id)).toEqual([])
    expect(log.fault).toBeNull()
    expect(await scene.spoolFiles()).toEqual([])
  })

  test('a job that writes 200 MB without a newline needs no memory for it', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    const block = Buffer.alloc(1_000_000, 'x')
    const before = process.memoryUsage().rss
    let highest = before
    for (let i = 0; i < 200; i++) {
      await log.write('stdout', block)
      highest = Math.max(highest, process.memoryUsage().rss)
    }
    await scene.end(job, log)
    expect(highest - before).toBeLessThan(100e6)
    const page = await scene.logs.page({ workspace: WORKSPACE, jobId: job.id, after: 0, limit: 2 })
    expect(page!.lines.map(line => [line.line.length, line.continues])).toEqual([
      [65_536, true],
      [65_536, true],
    ])
  })
})

describe('a crash', () => {
  const crashed = async (write: (log: ReturnType<LogScene['openLog']>) => Promise<void>, mask: string[] = []) => {
    const job = await scene.start()
    const log = scene.openLog(job, mask)
    await write(log)
    return job
  }

  const recovered = async (
    job: Awaited<ReturnType<LogScene['start']>>,
    nextLogSeq = 1,
    logs = scene.anotherProcess(),
  ) => {
    const parts = await logs.recover({ workspace: WORKSPACE, lease: leaseOf(job), nextLogSeq })
    const end = {
      type: 'fail',
      reason: 'worker_lost',
      failure: 'system',
      message: '',
      exit: { exitCode: null, signal: null },
    } as const
    await scene.store.endAttempts([{ lease: leaseOf(job), end, log: parts }])
    return { logs, parts }
  }

  test('loses nothing that was just written, not even an unfinished line', async () => {
    const job = await crashed(async log => {
      await log.write('stdout', bytes('one\ntwo\nand then the li'))
      await log.write('stderr', bytes('progress 10 %'))
      await eventually(async () => (await scene.spooledBytes()).includes('10 %'))
      await log.write('stderr', bytes('\rprogress 20 %'))
      await eventually(async () => (await scene.spooledBytes()).includes('20 %'))
    })
    const { logs, parts } = await recovered(job)
    expect(parts.every(part => part.data !== null)).toBe(true)
    expect(await scene.texts(job.id, logs)).toEqual(['one', 'two', 'and then the li', 'progress 10 %\rprogress 20 %'])
  })

  test('loses only the last write if that is torn', async () => {
    const job = await crashed(async log => {
      await log.write('stdout', bytes('one\n'))
      await eventually(async () => (await scene.spooledBytes()).includes('one'))
      await log.write('stdout', bytes('two\n'))
      await eventually(async () => (await scene.spooledBytes()).includes('two'))
    })
    const [file] = await scene.spoolFiles()
    const path = join(scene.directory, 'spool', file!)
    await truncate(path, (await readFile(path)).length - 1)
    const { logs } = await recovered(job)
    expect(await scene.texts(job.id, logs)).toEqual(['one'])
  })

  test('leaves garbage after the last chunk that is not taken for lines', async () => {
    const job = await crashed(async log => {
      await log.write('stdout', bytes('one\n'))
      await eventually(async () => (await scene.spooledBytes()).includes('one'))
    })
    const [file] = await scene.spoolFiles()
    await appendFile(join(scene.directory, 'spool', file!), Buffer.alloc(4096))
    const { logs } = await recovered(job)
    expect(await scene.texts(job.id, logs)).toEqual(['one'])
  })

  test('leaves sealed parts that are not recovered again', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    for (let i = 0; i < 60; i++) await log.write('stdout', bytes(numberedLines(2000, i * 2000 + 1)))
    await eventually(async () => (await scene.parts(job.id)).length > 0)
    await eventually(async () => (await scene.spooledBytes()).includes('line 120000 '))
    const sealed = await scene.parts(job.id)
    const { logs, parts } = await recovered(job, sealed.at(-1)!.lastSeq + 1)
    expect(parts.length).toBeGreaterThan(0)
    expect(parts[0]!.firstSeq).toBe(sealed.at(-1)!.lastSeq + 1)
    expect(await scene.texts(job.id, logs)).toEqual(numberedLines(120_000).trimEnd().split('\n'))
  })

  test('leaves a large unsealed rest, which recovery seals', async () => {
    const job = await crashed(async log => {
      await log.write('stdout', bytes(numberedLines(10_000)))
      await eventually(async () => (await scene.spooledBytes()).includes('line 10000 '))
    })
    const { logs, parts } = await recovered(job)
    expect(parts).toHaveLength(1)
    expect(parts[0]!.bytes).toBeGreaterThan(INLINE_LOG_BYTES)
    expect(parts[0]!.blobKey).not.toBeNull()
    expect(await scene.texts(job.id, logs)).toHaveLength(10_000)
  })

  test('leaves a large unsealed rest, which goes into the database while the blob store is gone', async () => {
    const job = await crashed(async log => {
      await log.write('stdout', bytes(numberedLines(10_000)))
      await eventually(async () => (await scene.spooledBytes()).includes('line 10000 '))
    })
    const directory = join(scene.directory, 'unmounted')
    const blobs = await openFileBlobStore({ directory })
    await rm(directory, { recursive: true })
    const { logs, parts } = await recovered(job, 1, scene.anotherProcess({ blobs }))
    expect(parts.map(part => part.blobKey)).toEqual([null])
    expect(await scene.texts(job.id, logs)).toHaveLength(10_000)
  })

  test('on another machine leaves nothing to recover here', async () => {
    const job = await scene.start()
    expect(await scene.logs.recover({ workspace: WORKSPACE, lease: leaseOf(job), nextLogSeq: 1 })).toEqual([])
  })

  test('assumed while the attempt is live here makes the rescue take its log as it is', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes('still here\n'))
    const parts = await scene.logs.recover({ workspace: WORKSPACE, lease: leaseOf(job), nextLogSeq: 1 })
    expect(parts).toHaveLength(1)
    await log.write('stdout', bytes('too late\n'))
    expect(await log.finish()).toEqual(parts)
    await log.dispose()
  })
})
