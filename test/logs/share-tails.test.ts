import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobLogs } from '../../src/logs/job-logs.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { retryIn, WORKSPACE } from '../conformance/suite/scene.ts'
import { createTestDatabase } from '../test-database.ts'
import { eventually, LogScene, numberedLines, openStore } from './log-scene.ts'

const bytes = (text: string) => Buffer.from(text)

const page = (jobId: string, logs: JobLogs, query: object = {}) =>
  logs.page({ workspace: WORKSPACE, jobId, after: 0, limit: 5000, ...query })

/** Parts of a log neither overlap nor leave a gap. */
const expectSeamless = (parts: readonly { firstSeq: number; lastSeq: number }[]) => {
  for (const [i, part] of parts.entries()) expect(part.firstSeq).toBe(i === 0 ? 1 : parts[i - 1]!.lastSeq + 1)
}

const openPostgres = async () => {
  const database = await createTestDatabase()
  const store = await openPostgresStore({ url: database.url, processName: 'logs' })
  const close = async () => {
    await store.close()
    await database.drop()
  }
  return { store, close }
}

describe.each([
  ['SQLite', openStore],
  ['PostgreSQL', openPostgres],
])('a log that several servers read (%s)', (_name, open) => {
  let opened: Awaited<ReturnType<typeof openStore>>
  let scene: LogScene
  /** Another server on the same store: it has no spool to read from. */
  let elsewhere: JobLogs
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    scene = await LogScene.open({ store: opened.store, shareTails: true, shareEveryMs: 20 })
    elsewhere = scene.anotherProcess({ dataDir: `${scene.directory}/elsewhere` })
  })
  afterEach(() => scene.close())

  test('can soon be read elsewhere when few lines are written, each line once', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    for (let i = 1; i <= 3; i++) {
      await log.write('stdout', bytes(`line ${i}\n`))
      await eventually(async () => (await page(job.id, elsewhere))!.lines.length === i)
    }
    const stored = await scene.parts(job.id)
    expect(stored.at(-1)!.lastSeq).toBe(3)
    await log.write('stdout', bytes('the last\n'))
    const rest = await log.finish()
    expect(rest.every(part => part.firstSeq > 3)).toBe(true)
    await scene.end(job, log)
    expect(await scene.texts(job.id, elsewhere)).toEqual(['line 1', 'line 2', 'line 3', 'the last'])
    expectSeamless(await scene.parts(job.id))
  })

  test('has its many small parts merged into few', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    for (let i = 1; i <= 80; i++) {
      await log.write('stdout', bytes(`line ${i}\n`))
      await eventually(async () => ((await scene.parts(job.id)).at(-1)?.lastSeq ?? 0) >= i)
    }
    expect((await scene.parts(job.id)).length).toBeLessThan(70)
    await scene.end(job, log)
    expect(await scene.texts(job.id, elsewhere)).toEqual(Array.from({ length: 80 }, (_, i) => `line ${i + 1}`))
    expectSeamless(await scene.parts(job.id))
  })

  test('has a burst sealed at once, readable elsewhere while the job is quiet', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes('begin\n'))
    await eventually(async () => (await page(job.id, elsewhere))!.lines.length === 1)
    await log.write('stdout', bytes(numberedLines(20_000)))
    await eventually(async () => (await page(job.id, elsewhere, { tail: 1 }))!.lines[0]?.seq === 20_001)
    expect((await scene.parts(job.id)).some(part => part.blobKey !== null)).toBe(true)
    expectSeamless(await scene.parts(job.id))
    await scene.end(job, log)
    expect((await scene.texts(job.id, elsewhere)).length).toBe(20_001)
  })

  test('written slow, fast and slow again, over two attempts, is followed elsewhere line by line, each once', async () => {
    const job = await scene.start(2)
    const texts: string[] = []
    const follow = async () => {
      const signal = new AbortController().signal
      for await (const batch of elsewhere.follow({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, signal }))
        if (batch.type === 'lines') texts.push(...batch.lines.map(line => line.line))
    }
    const following = follow()
    const attempt = async (log: ReturnType<LogScene['openLog']>, name: string) => {
      await log.write('stdout', bytes(`${name} slow\n`))
      await eventually(() => texts.at(-1) === `${name} slow`)
      for (let i = 0; i < 60; i++) await log.write('stdout', bytes(numberedLines(2000, i * 2000 + 1)))
      await log.write('stderr', bytes(`${name} slow again\n`))
      await eventually(() => texts.at(-1) === `${name} slow again`)
    }
    const log = scene.openLog(job)
    await attempt(log, 'first')
    await scene.end(job, log, retryIn(0))
    const second = await scene.claim()
    const again = scene.openLog(second)
    await attempt(again, 'second')
    await scene.end(second, again)
    await following
    const middle = numberedLines(120_000).trimEnd().split('\n')
    const expected = ['first', 'second'].flatMap(name => [`${name} slow`, ...middle, `${name} slow again`])
    expect(texts.length).toBe(expected.length)
    expect(texts).toEqual(expected)
    expectSeamless(await scene.parts(job.id))
  })
})
