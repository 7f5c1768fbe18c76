import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { leaseOf, newJob, newJobs, retryIn } from './scene.ts'

export const timeTests: AreaTests = scene => {
  const promote = (limit = 100) => scene().store.promoteDueJobs({ limit })

  test('the store returns its time', async () => {
    expect(await scene().store.now()).toBe(scene().clock.now())
  })

  test('due jobs become queued, and the next due time is returned', async () => {
    const now = scene().clock.now()
    const [later, soon] = [newJob({ scheduledAt: now + 5000 }), newJob({ scheduledAt: now + 1000 })]
    await scene().submit([later, soon])
    expect(await promote()).toEqual({ promoted: 0, nextDueAt: now + 1000 })
    scene().clock.advance(1000)
    expect(await promote()).toEqual({ promoted: 1, nextDueAt: now + 5000 })
    expect(await scene().job(soon.id)).toMatchObject({
      status: 'queued',
      statusReason: null,
      queuedAt: now + 1000,
      updatedAt: now + 1000,
    })
    expect(await scene().claimOne()).toMatchObject({ id: soon.id, attempt: 1 })
    scene().clock.advance(10_000)
    expect(await promote()).toEqual({ promoted: 1, nextDueAt: null })
    expect(await scene().claimOne()).toMatchObject({ id: later.id })
  })

  test('no more than the limit is promoted, and the rest is due at once', async () => {
    const due = scene().clock.now() + 1000
    await scene().submit(newJobs(5, { scheduledAt: due }))
    scene().clock.advance(1000)
    expect(await promote(3)).toEqual({ promoted: 3, nextDueAt: due })
    expect(await promote(3)).toEqual({ promoted: 2, nextDueAt: null })
  })

  test('two schedulers that promote at once promote each job once', async () => {
    await scene().submit(newJobs(50, { scheduledAt: scene().clock.now() + 1 }))
    scene().clock.advance(1)
    const outcomes = await Promise.all([promote(), promote(), promote()])
    expect(outcomes.reduce((sum, outcome) => sum + outcome.promoted, 0)).toBe(50)
    const queued = scene()
      .events()
      .filter(event => event.status === 'queued')
    expect(queued).toHaveLength(50)
  })

  test('a clock set back an hour does not stretch a lease', async () => {
    const job = await scene().start()
    scene().clock.advance(-3_600_000)
    expect(await scene().lost()).toEqual([])
    scene().clock.advance(LEASE_MS)
    expect((await scene().lost()).map(attempt => attempt.lease)).toEqual([leaseOf(job)])
  })

  test('a clock set back an hour does not stretch the wait for a retry', async () => {
    const job = await scene().start()
    await scene().end(job, retryIn(2000))
    scene().clock.advance(-3_600_000)
    await scene().lost()
    const back = scene().clock.now()
    expect(await promote()).toEqual({ promoted: 0, nextDueAt: back + 2000 })
    scene().clock.advance(2000)
    expect(await promote()).toEqual({ promoted: 1, nextDueAt: null })
  })

  test('a clock set back an hour leaves scheduled jobs at their time', async () => {
    const scheduledAt = scene().clock.now() + 1000
    await scene().submitOne({ scheduledAt })
    scene().clock.advance(-3_600_000)
    await scene().lost()
    expect(await promote()).toEqual({ promoted: 0, nextDueAt: scheduledAt })
  })
}
