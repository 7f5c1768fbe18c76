import { expect, test } from 'vitest'
import { bucketOf } from '../../../src/model/histogram.ts'
import type { HourSums } from '../../../src/store/analytics-store.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, logPart, NO_EXIT, type newJob, newJobs, retryIn, WORKSPACE } from './scene.ts'
import { WorkflowScene } from './workflow-scene.ts'

const HOUR = 3_600_000

export const analyticsTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const hourOf = (time: number) => time - (time % HOUR)
  const read = (overrides: object = {}): Promise<readonly HourSums[]> =>
    scene().store.readAnalytics({ workspace: WORKSPACE, from: now() - 48 * HOUR, to: now() + HOUR, ...overrides })
  const summarize = async () => {
    let total = 0
    for (let calls = 0; calls < 100; calls++) {
      const summed = await scene().store.summarize({ limit: 2 })
      total += summed
      if (summed < 2) return total
    }
    throw new Error('there is no end to it')
  }
  /** Waits 100 ms in the queue and runs for 1000 ms. */
  const finished = async (end = COMPLETE, overrides: Parameters<typeof newJob>[0] = {}) => {
    const job = await scene().submitOne(overrides)
    scene().clock.advance(100)
    const claimed = await scene().claimOne()
    scene().clock.advance(1000)
    await scene().end(claimed, end, [logPart(1, 7)])
    return job
  }
  const NONE = { completed: 0, failed: 0, cancelled: 0, logLines: 0, slotsFired: 0, slotsSkipped: 0 }

  test('counts and durations are the same before and after summarizing', async () => {
    await finished()
    await finished()
    await finished(failure())
    const cancelled = await scene().submitOne()
    await scene().cancel(cancelled.id)
    scene().clock.advance(1)
    const expected = [
      {
        ...NONE,
        hour: hourOf(now()),
        workflowId: null,
        completed: 2,
        failed: 1,
        cancelled: 1,
        logLines: 21,
        wait: { [bucketOf(100)]: 3 },
        run: { [bucketOf(1000)]: 3 },
        lateness: {},
      },
    ]
    expect(await read()).toEqual(expected)
    expect(await summarize()).toBe(4)
    expect(await read()).toEqual(expected)
    expect(await summarize()).toBe(0)
    await finished()
    expect(await read()).toMatchObject([{ completed: 3, wait: { [bucketOf(100)]: 4 } }])
  })

  test('an answer is complete between two steps of summarizing', async () => {
    for (let index = 0; index < 5; index++) await finished()
    scene().clock.advance(1)
    for (let calls = 0; calls < 4; calls++) {
      expect(await read()).toMatchObject([{ completed: 5, logLines: 35, run: { [bucketOf(1000)]: 5 } }])
      await scene().store.summarize({ limit: 2 })
    }
  })

  test('jobs that ended at the same instant are summarized once each, whatever the batch size', async () => {
    await scene().submit(newJobs(7))
    for (const job of await scene().claim()) await scene().end(job)
    scene().clock.advance(1)
    expect(await summarize()).toBe(7)
    expect(await read()).toMatchObject([{ completed: 7 }])
  })

  test('each hour and each workflow is counted separately', async () => {
    const workflow = await steps.create()
    await finished()
    await steps.start(workflow, 2)
    await steps.workOff()
    scene().clock.advance(HOUR)
    await steps.start(workflow)
    await steps.workOff(failure())
    for (const summed of [false, true]) {
      if (summed) {
        scene().clock.advance(1)
        await summarize()
      }
      const sums = await read()
      expect(sums.map(sum => [sum.hour, sum.workflowId, sum.completed, sum.failed])).toEqual(
        expect.arrayContaining([
          [hourOf(now() - HOUR), null, 1, 0],
          [hourOf(now() - HOUR), workflow.id, 2, 0],
          [hourOf(now()), workflow.id, 0, 1],
        ]),
      )
      expect(sums).toHaveLength(3)
      expect(await read({ workflowId: workflow.id })).toHaveLength(2)
      expect(await read({ from: hourOf(now()) })).toMatchObject([{ workflowId: workflow.id, failed: 1 }])
      expect(await read({ to: hourOf(now()) })).toHaveLength(2)
      expect(await read({ workspace: 'other' })).toEqual([])
    }
  })

  test('figures stay when jobs are purged, even if they were not summarized yet', async () => {
    const old = await finished()
    scene().clock.advance(1)
    await summarize()
    const fresh = await finished()
    for (const { id } of [old, fresh]) await scene().store.purgeJob({ workspace: WORKSPACE, jobId: id })
    expect(await read()).toMatchObject([{ completed: 2, logLines: 14 }])
    await finished()
    await scene().store.purgeEndedJobs({ endedBefore: now() + 1, limit: 10 })
    scene().clock.advance(1)
    expect(await read()).toMatchObject([{ completed: 3, logLines: 21, run: { [bucketOf(1000)]: 3 } }])
    expect(await summarize()).toBe(0)
    expect(await read()).toMatchObject([{ completed: 3 }])
  })

  test('the durations of a job are those of its last attempt; a job that ended between attempts has none', async () => {
    const job = await scene().start()
    scene().clock.advance(500)
    await scene().end(job, retryIn(10_000))
    scene().clock.advance(10_000)
    await scene().store.promoteDueJobs({ limit: 1 })
    scene().clock.advance(20)
    const second = await scene().claimOne()
    scene().clock.advance(40)
    await scene().end(second)
    const waiting = await scene().start()
    scene().clock.advance(5000)
    await scene().end(waiting, retryIn(10_000))
    await scene().cancel(waiting.id)
    const stopped = await scene().start()
    await scene().cancel(stopped.id)
    scene().clock.advance(300)
    await scene().end(stopped, { type: 'cancel', exit: NO_EXIT })
    const expected = {
      completed: 1,
      cancelled: 2,
      wait: { [bucketOf(20)]: 1, [bucketOf(0)]: 1 },
      run: { [bucketOf(40)]: 1, [bucketOf(300)]: 1 },
    }
    expect(await read()).toMatchObject([expected])
    scene().clock.advance(1)
    await summarize()
    expect(await read()).toMatchObject([expected])
  })

  test('a duration is counted in the bucket that the model gives', async () => {
    const durations = [
      0,
      1,
      2,
      3,
      4,
      7,
      8,
      9,
      127,
      128,
      129,
      1023,
      1024,
      65_535,
      65_536,
      1_000_003,
      2 ** 30 - 1,
      2 ** 30,
    ]
    for (const duration of durations) {
      const job = await scene().start()
      scene().clock.advance(duration)
      await scene().end(job)
    }
    scene().clock.advance(1)
    const expected: Record<number, number> = {}
    for (const duration of durations) expected[bucketOf(duration)] = (expected[bucketOf(duration)] ?? 0) + 1
    const runs = async () => {
      const found: Record<number, number> = {}
      for (const sums of await read({ from: 0 }))
        for (const [bucket, count] of Object.entries(sums.run))
          found[Number(bucket)] = (found[Number(bucket)] ?? 0) + count
      return found
    }
    expect(await runs()).toEqual(expected)
    await summarize()
    expect(await runs()).toEqual(expected)
  })

  test('slots count in the hour in which they were handled, with their lateness after the jitter', async () => {
    const slot = now()
    const workflow = await steps.create({ timing: { cursor: slot - 1, next: { slot, fireAt: slot + 2000 } } })
    scene().clock.advance(2030)
    await steps.fired(workflow, slot)
    const skipped = { first: slot + 1, last: slot + 5, count: 5, reason: 'missed' as const }
    await steps.fire(workflow, slot + 60_000, { skipped: [skipped] })
    const expected = { slotsFired: 1, slotsSkipped: 6, lateness: { [bucketOf(30)]: 1 }, workflowId: workflow.id }
    expect(await read()).toMatchObject([expected])
    await steps.workOff()
    scene().clock.advance(1)
    await summarize()
    expect(await read()).toMatchObject([{ ...expected, completed: 1 }])
  })

  test('the lateness of a slot that is caught up is its own, not that of the first missed slot', async () => {
    const first = now()
    const workflow = await steps.create({ timing: { cursor: first - 1, next: { slot: first, fireAt: first + 2000 } } })
    scene().clock.advance(180_040)
    const skipped = { first, last: first + 120_000, count: 3, reason: 'missed' as const }
    await steps.fired(workflow, first + 180_000, { skipped: [skipped] })
    expect(await read()).toMatchObject([{ slotsFired: 1, slotsSkipped: 3, lateness: { [bucketOf(40)]: 1 } }])
  })

  test('old figures are purged hour by hour', async () => {
    await finished()
    scene().clock.advance(1)
    await summarize()
    scene().clock.advance(2 * HOUR)
    await finished()
    scene().clock.advance(1)
    await summarize()
    expect(await read()).toHaveLength(2)
    const purge = () => scene().store.purgeSums({ hourBefore: now() - HOUR, limit: 100 })
    expect(await purge()).toBeGreaterThan(0)
    expect(await purge()).toBe(0)
    expect(await read()).toMatchObject([{ hour: hourOf(now()), completed: 1 }])
  })
}
