import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AttemptLog, JobLogs } from '../../src/logs/job-logs.ts'
import { SEGMENT_BYTES } from '../../src/logs/seal.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import type { JobStatus } from '../../src/model/job-status.ts'
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

/** Follows a log from a line on; what it has received can be checked meanwhile. */
class Follower {
  readonly seqs: number[] = []
  readonly texts: string[] = []
  readonly stop = new AbortController()
  status: JobStatus | null = null
  readonly ended: Promise<void>

  constructor(logs: JobLogs, jobId: string, fromSeq = 1) {
    this.ended = this.#run(logs.follow({ workspace: WORKSPACE, jobId, fromSeq, signal: this.stop.signal }))
  }

  async #run(batches: ReturnType<JobLogs['follow']>): Promise<void> {
    for await (const batch of batches) {
      if (batch.type === 'end') this.status = batch.status
      else for (const line of batch.lines) this.seqs.push(line.seq) && this.texts.push(line.line)
    }
  }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)

describe('following a log', () => {
  test('returns the backlog, then each line as it is written, then how the job ended', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes('one\n'))
    const follower = new Follower(scene.logs, job.id)
    await eventually(() => follower.texts.length === 1)
    await log.write('stderr', bytes('two\n'))
    await eventually(() => follower.texts.length === 2)
    expect(follower.status).toBeNull()
    await scene.end(job, log)
    await follower.ended
    expect(follower.texts).toEqual(['one', 'two'])
    expect(follower.status).toBe('completed')
  })

  test('continues through retries until the job has ended', async () => {
    const first = await scene.start(2)
    const follower = new Follower(scene.logs, first.id)
    const log = scene.openLog(first)
    await log.write('stdout', bytes('first try\n'))
    await scene.end(first, log, retryIn(0))
    const second = await scene.claim()
    const again = scene.openLog(second)
    await again.write('stdout', bytes('second try\n'))
    await scene.end(second, again)
    await follower.ended
    expect(follower.texts).toEqual(['first try', 'second try'])
  })

  test('starts at the requested line, and ends at once after a finished log', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes(numberedLines(10)))
    await scene.end(job, log)
    for (const from of [0, 1, 7, 10, 11, 99]) {
      const follower = new Follower(scene.logs, job.id, from)
      await follower.ended
      expect(follower.seqs).toEqual(range(Math.max(1, from), 10))
      expect(follower.status).toBe('completed')
    }
  })

  test('rejects at the first pull if the job does not exist', async () => {
    const follower = new Follower(scene.logs, '01a200b0-0000-7000-8000-000000000000')
    await expect(follower.ended).rejects.toMatchObject({ code: 'not_found' })
  })

  test('ends at once for a follower that is aborted', async () => {
    const job = await scene.start()
    const follower = new Follower(scene.logs, job.id)
    follower.stop.abort()
    await follower.ended
    expect(follower.status).toBeNull()
  })

  test('uses no memory for a follower that does not pull, which reads everything later', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    const batches = scene.logs.follow({
      workspace: WORKSPACE,
      jobId: job.id,
      fromSeq: 1,
      signal: new AbortController().signal,
    })
    const iterator = batches[Symbol.asyncIterator]()
    await log.write('stdout', bytes('the first\n'))
    await iterator.next()
    const before = process.memoryUsage().rss
    const block = bytes(numberedLines(20_000))
    for (let i = 0; i < 60; i++) await log.write('stdout', block)
    expect(process.memoryUsage().rss - before).toBeLessThan(150e6)
    await scene.end(job, log)
    let last = 1
    for (let step = await iterator.next(); !step.done && step.value.type === 'lines'; step = await iterator.next()) {
      expect(step.value.lines[0]!.seq).toBe(last + 1)
      last = step.value.lines.at(-1)!.seq
    }
    expect(last).toBe(1_200_001)
  })

  test('shares what is read between followers at the same line', async () => {
    const job = await scene.start()
    const log = scene.openLog(job)
    await log.write('stdout', bytes(numberedLines(100)))
    await scene.end(job, log)
    const read = async () => {
      const signal = new AbortController().signal
      const iterator = scene.logs
        .follow({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, signal })
        [Symbol.asyncIterator]()
      return { batch: (await iterator.next()).value, close: () => iterator.return!() }
    }
    const [one, other] = await Promise.all([read(), read()])
    const third = await read()
    expect(third.batch).toBe(one.batch)
    expect(other.batch).toBe(one.batch)
    await Promise.all([one, other, third].map(reader => reader.close()))
  })
})

/** What can happen to a job that logs. */
type Step =
  | { readonly type: 'write'; readonly lines: number; readonly width: number }
  | { readonly type: 'follow'; readonly at: number }
  | { readonly type: 'retry' }
  | { readonly type: 'crash' }

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('write'),
      lines: fc.integer({ min: 1, max: 3000 }),
      width: fc.integer({ min: 0, max: 900 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('follow'), at: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('retry') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('crash') }) },
) as fc.Arbitrary<Step>

/** A job under a random sequence of steps, with followers that came at random moments from random lines. */
class Walk {
  readonly followers: { readonly from: number; readonly follower: Follower }[] = []
  #logs: JobLogs
  #job: ClaimedJob
  #log: AttemptLog
  written = 0

  constructor(job: ClaimedJob) {
    this.#job = job
    this.#logs = scene.logs
    this.#log = scene.openLog(job)
  }

  async take(step: Step): Promise<void> {
    if (step.type === 'write') await this.#write(step)
    else if (step.type === 'follow') this.#follow(step.at)
    else if (step.type === 'retry') await this.#retry()
    else await this.#crash()
  }

  async end(): Promise<void> {
    await scene.end(this.#job, this.#log)
  }

  /** The whole log, as read by the last process. */
  lines() {
    return scene.lines(this.#job.id, this.#logs)
  }

  async #write({ lines, width }: Extract<Step, { type: 'write' }>): Promise<void> {
    const texts = range(this.written + 1, this.written + lines).map(seq => `${seq} ${'x'.repeat(width)}\n`)
    this.written += lines
    await this.#log.write(lines % 2 === 0 ? 'stdout' : 'stderr', bytes(texts.join('')))
  }

  #follow(at: number): void {
    const from = 1 + Math.floor(at * this.written)
    this.followers.push({ from, follower: new Follower(this.#logs, this.#job.id, from) })
  }

  async #retry(): Promise<void> {
    await scene.end(this.#job, this.#log, retryIn(0))
    await this.#startAgain()
  }

  /** The process and its followers are gone; another one recovers what is on disk. */
  async #crash(): Promise<void> {
    await this.#settled()
    for (const { follower } of this.followers) follower.stop.abort()
    this.followers.length = 0
    this.#logs = scene.anotherProcess()
    const held = await scene.store.listLostAttempts({ leaseMs: 15_000, limit: 100, workerIds: ['worker-1'] })
    const lost = held.find(attempt => attempt.lease.jobId === this.#job.id)
    const parts = await this.#logs.recover(lost!)
    await scene.store.endAttempts([{ lease: leaseOf(this.#job), end: retryIn(0), log: parts }])
    await this.#startAgain()
  }

  async #startAgain(): Promise<void> {
    this.#job = await scene.claim()
    this.#log = scene.openLog(this.#job, [], this.#logs)
  }

  /** Everything written is on disk, as it is within milliseconds, and nothing is being sealed: a dead process seals nothing. */
  async #settled(): Promise<void> {
    await eventually(async () => {
      const page = await this.#logs.page({
        workspace: WORKSPACE,
        jobId: this.#job.id,
        after: this.written - 1,
        limit: 1,
      })
      return this.written === 0 || page!.lines.length === 1
    })
    const own = `${this.#job.id}.${this.#job.attempt}.`
    await eventually(async () => {
      const files = (await scene.spoolFiles()).filter(file => file.startsWith(own))
      const found = await Promise.all(files.map(file => stat(join(scene.directory, 'spool', file)).catch(() => null)))
      return found.every(file => file !== null && file.size < SEGMENT_BYTES)
    })
  }
}

describe('invariant 7', () => {
  test('every follower sees each line from its start once and in order, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), async steps => {
        const job = await scene.start(100)
        const walk = new Walk(job)
        for (const one of steps) await walk.take(one)
        await walk.end()
        for (const { from, follower } of walk.followers) {
          await follower.ended
          expect(follower.seqs).toEqual(range(from, walk.written))
          expect(follower.texts.every((text, i) => text.startsWith(`${from + i} `))).toBe(true)
          expect(follower.status).toBe('completed')
        }
        expect((await walk.lines()).map(line => line.seq)).toEqual(range(1, walk.written))
      }),
      { numRuns: 25, endOnFailure: true },
    )
  })
})
