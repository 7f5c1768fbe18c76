import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, retryIn, WORKSPACE } from './scene.ts'
import { newRun, WorkflowScene } from './workflow-scene.ts'

export const runItemTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const idsOf = (items: readonly { readonly id: string }[]) => items.map(item => item.id)
  const triggered = async (...[items, overrides]: [Parameters<typeof newRun>[1], object?]) => {
    const workflow = await steps.create()
    const run = newRun(workflow, items, { trigger: 'manual', ...overrides })
    await steps.trigger(workflow, run)
    return run
  }
  const reason = async (jobId: string) => (await scene().job(jobId)).statusReason

  test('as many items as allowed hold a slot, and each end lets the next one in, in the same transaction', async () => {
    const run = await triggered(7, { maxConcurrent: 3 })
    const first = await scene().claim()
    expect(idsOf(first)).toEqual(idsOf(run.items.slice(0, 3)))
    expect(await steps.run(run.id)).toMatchObject({ counts: { running: 3, pending: 4 } })
    await scene().end(first[0]!, COMPLETE)
    await scene().end(first[1]!, failure())
    expect(idsOf(await scene().claim())).toEqual(idsOf(run.items.slice(3, 5)))
    await scene().cancel(first[2]!.id)
    expect(await scene().claim()).toEqual([])
    await scene().end(first[2]!, { type: 'cancel', exit: NO_EXIT })
    expect(idsOf(await scene().claim())).toEqual([run.items[5]!.id])
  })

  test('items that end in one batch refill the slots together', async () => {
    const run = await triggered(40, { maxConcurrent: 10 })
    let done = 0
    for (let jobs = await scene().claim(); jobs.length > 0; jobs = await scene().claim()) {
      expect(jobs).toHaveLength(10)
      const results = await scene().store.endAttempts(
        jobs.map((job, index) => ({ lease: leaseOf(job), end: index % 5 === 4 ? failure() : COMPLETE, log: [] })),
      )
      expect(results.every(result => result.applied)).toBe(true)
      done += jobs.length
    }
    expect(done).toBe(40)
    expect(await steps.run(run.id)).toMatchObject({ status: 'failed', counts: { completed: 32, failed: 8 } })
  })

  test('items of many runs and plain jobs can end in one batch', async () => {
    const runs = [await triggered(3, { maxConcurrent: 2 }), await triggered(3, { maxConcurrent: 2 })]
    await scene().submit([newJob(), newJob()])
    const jobs = await scene().claim()
    expect(jobs).toHaveLength(6)
    await scene().store.endAttempts(jobs.map(job => ({ lease: leaseOf(job), end: COMPLETE, log: [] })))
    for (const run of runs) expect(await steps.run(run.id)).toMatchObject({ counts: { completed: 2, queued: 1 } })
    await steps.workOff()
    for (const run of runs) expect(await steps.run(run.id)).toMatchObject({ status: 'completed' })
  })

  test('the items with the highest priority start first, then those submitted first', async () => {
    const run = await triggered([{}, { priority: 5 }, {}, { priority: 9 }, { priority: 5 }], { maxConcurrent: 1 })
    const order: string[] = []
    for (let jobs = await scene().claim(); jobs.length > 0; jobs = await scene().claim()) {
      expect(jobs).toHaveLength(1)
      order.push(jobs[0]!.id)
      await scene().end(jobs[0]!)
    }
    expect(order).toEqual([3, 1, 4, 0, 2].map(index => run.items[index]!.id))
  })

  test('an item that waits for a retry holds no slot, and waits for one when it is due', async () => {
    const run = await triggered(3, { maxConcurrent: 1 })
    const first = await scene().claimOne()
    await scene().end(first, retryIn(1000))
    const second = await scene().claimOne()
    expect(second.id).toBe(run.items[1]!.id)
    scene().clock.advance(1000)
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
    expect(await reason(first.id)).toBe('run_concurrency')
    expect(await scene().claim()).toEqual([])
    await scene().end(second)
    expect(await scene().claimOne()).toMatchObject({ id: first.id, attempt: 2 })
  })

  test('a due retry takes a free slot at once', async () => {
    await triggered(2, { maxConcurrent: 5 })
    const [first] = await scene().claim()
    await scene().end(first!, retryIn(100))
    scene().clock.advance(100)
    await scene().store.promoteDueJobs({ limit: 10 })
    expect(await scene().job(first!.id)).toMatchObject({ status: 'queued', statusReason: null, queuedAt: now() })
  })

  test('a released item keeps its slot', async () => {
    const run = await triggered(2, { maxConcurrent: 1 })
    const first = await scene().claimOne()
    await scene().end(first, { type: 'release', exit: NO_EXIT })
    expect(await reason(run.items[1]!.id)).toBe('run_concurrency')
    expect(await scene().claimOne()).toMatchObject({ id: first.id, attempt: 2 })
  })

  test('a rescued item frees its slot for the next', async () => {
    const run = await triggered(2, { maxConcurrent: 1 })
    await scene().claimOne()
    scene().clock.advance(LEASE_MS)
    const [lost] = await scene().lost()
    const end = retryIn(1000, { failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
    await scene().store.endAttempts([{ lease: lost!.lease, end, log: [] }])
    expect(await scene().claimOne()).toMatchObject({ id: run.items[1]!.id })
  })

  test('cancelling a queued item lets the next one in, cancelling a waiting one does not', async () => {
    const run = await triggered(4, { maxConcurrent: 1 })
    await scene().cancel(run.items[1]!.id)
    expect(await scene().listIds({ runId: run.id, status: ['queued'] })).toEqual([run.items[0]!.id])
    await scene().cancel(run.items[0]!.id)
    expect(await scene().listIds({ runId: run.id, status: ['queued'] })).toEqual([run.items[2]!.id])
  })

  test('an item whose key is taken waits without a slot and lets others pass', async () => {
    const holder = await scene().start({ exclusiveKey: 'table' })
    const run = await triggered([{ exclusiveKey: 'table' }, {}, {}], { maxConcurrent: 1 })
    expect(await reason(run.items[0]!.id)).toBe('exclusive_key')
    const [second] = await scene().claim()
    expect(second!.id).toBe(run.items[1]!.id)
    // The key is free, but the run has no free slot: from now on the item waits for that.
    await scene().end(holder)
    expect(await reason(run.items[0]!.id)).toBe('run_concurrency')
    await scene().end(second!)
    expect(idsOf(await scene().claim())).toEqual([run.items[0]!.id])
  })

  test('a key that an item cannot take goes to the next job that waits for it', async () => {
    const holder = await scene().start({ exclusiveKey: 'table' })
    const run = await triggered([{}, { exclusiveKey: 'table', priority: -1 }], { maxConcurrent: 1 })
    await scene().claimOne()
    const plain = await scene().submitOne({ exclusiveKey: 'table' })
    expect(await reason(plain.id)).toBe('exclusive_key')
    await scene().end(holder)
    expect(await scene().status(plain.id)).toBe('queued')
    expect(await reason(run.items[1]!.id)).toBe('run_concurrency')
  })

  test('items of one run with one key run one after the other and leave slots to the rest', async () => {
    const keyed = { exclusiveKey: 'table' }
    const run = await triggered([keyed, keyed, keyed, {}, {}], { maxConcurrent: 3 })
    const first = await scene().claim()
    expect(idsOf(first)).toEqual([run.items[0]!.id, run.items[3]!.id, run.items[4]!.id])
    for (const job of first) await scene().end(job)
    expect(idsOf(await scene().claim())).toEqual([run.items[1]!.id])
    await steps.run(run.id)
  })

  test('a paused item passes its key to the next that waits for it', async () => {
    const run = await triggered([{ exclusiveKey: 'table' }])
    const plain = await scene().submitOne({ exclusiveKey: 'table' })
    await scene().store.pauseRun({ workspace: WORKSPACE, runId: run.id })
    expect(await scene().status(plain.id)).toBe('queued')
    const held = await scene().claimOne()
    await scene().store.resumeRun({ workspace: WORKSPACE, runId: run.id })
    expect(await reason(run.items[0]!.id)).toBe('exclusive_key')
    await scene().end(held)
    expect(await scene().claimOne()).toMatchObject({ id: run.items[0]!.id })
  })

  test('terminating a run frees its keys', async () => {
    const run = await triggered([{ exclusiveKey: 'a' }, { exclusiveKey: 'b' }])
    const waiting = [await scene().submitOne({ exclusiveKey: 'a' }), await scene().submitOne({ exclusiveKey: 'b' })]
    await scene().store.terminateRun({ workspace: WORKSPACE, runId: run.id, graceMs: null })
    expect(idsOf(await scene().claim()).sort()).toEqual(idsOf(waiting).sort())
  })

  test('items count as waiting jobs of their workspace until they are claimed or ended', async () => {
    const run = await triggered(6, { maxConcurrent: 2 })
    const queued = async () => {
      const outcome = await scene().store.submitJobs({ jobs: [newJob()], maxQueued: 0 })
      return outcome.type === 'too_many_queued' ? outcome.queued : null
    }
    expect(await queued()).toBe(6)
    const [first] = await scene().claim()
    expect(await queued()).toBe(4)
    await scene().end(first!)
    await scene().store.pauseRun({ workspace: WORKSPACE, runId: run.id })
    expect(await queued()).toBe(4)
    await scene().store.terminateRun({ workspace: WORKSPACE, runId: run.id, graceMs: null })
    expect(await queued()).toBe(0)
  })

  test('items send an event for each change of status', async () => {
    const run = await triggered(2, { maxConcurrent: 1 })
    await steps.workOff()
    const story = (jobId: string) =>
      scene()
        .events()
        .filter(event => event.jobId === jobId)
        .map(event => `${event.status} ${event.statusReason ?? ''}`.trim())
    await scene().eventually(() => story(run.items[1]!.id).includes('completed'))
    expect(story(run.items[0]!.id)).toEqual(['queued', 'running', 'completed'])
    expect(story(run.items[1]!.id)).toEqual(['pending run_concurrency', 'queued', 'running', 'completed'])
  })

  test('invariant 4: claims and ends at once never let more items run than may', async () => {
    const run = await triggered(60, { maxConcurrent: 4 })
    let running = 0
    let most = 0
    let ended = 0
    const worker = async (workerId: string) => {
      while (ended < 60) {
        const jobs = await scene().claim(3, workerId)
        running += jobs.length
        most = Math.max(most, running)
        for (const job of jobs) {
          // Subtracted before the end is requested: from then on another may start.
          running--
          await scene().end(job, ended++ % 7 === 0 ? failure() : COMPLETE)
        }
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    await Promise.all(['a', 'b', 'c', 'd'].map(worker))
    expect(most).toBeLessThanOrEqual(4)
    expect(await steps.run(run.id)).toMatchObject({ status: 'failed' })
  })

  test('the last two items that end at once end the run once', async () => {
    for (let round = 0; round < 10; round++) {
      const run = await triggered(2)
      const jobs = await scene().claim()
      await Promise.all(jobs.map(job => scene().end(job)))
      expect(await steps.run(run.id)).toMatchObject({ status: 'completed' })
      await scene().eventually(() =>
        steps.events().some(event => event.runId === run.id && event.status === 'completed'),
      )
      expect(steps.events().filter(event => event.runId === run.id && event.status === 'completed')).toHaveLength(1)
    }
  })

  test('a run of ten thousand items is worked off', async () => {
    const run = await triggered(10_000, { maxConcurrent: 50 })
    let done = 0
    for (let jobs = await scene().claim(); jobs.length > 0; jobs = await scene().claim()) {
      await scene().store.endAttempts(jobs.map(job => ({ lease: leaseOf(job), end: COMPLETE, log: [] })))
      done += jobs.length
    }
    expect(done).toBe(10_000)
    expect(await steps.run(run.id)).toMatchObject({ status: 'completed', counts: { completed: 10_000, pending: 0 } })
  })
}
