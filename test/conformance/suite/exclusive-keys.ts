import { expect, test } from 'vitest'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, NO_EXIT, newJob, newJobs, retryIn } from './scene.ts'

const keyed = (overrides: Parameters<typeof newJob>[0] = {}) => newJob({ exclusiveKey: 'events', ...overrides })

export const exclusiveKeyTests: AreaTests = scene => {
  const statuses = (jobs: readonly { id: string }[]) => Promise.all(jobs.map(job => scene().status(job.id)))

  test('one job per key is queued, the others are pending without a slot', async () => {
    const jobs = [keyed(), keyed(), keyed(), newJob({ exclusiveKey: 'users' }), newJob()]
    const submitted = await scene().submit(jobs)
    expect(submitted.map(job => job.status)).toEqual(['queued', 'pending', 'pending', 'queued', 'queued'])
    expect(await scene().job(jobs[1]!.id)).toMatchObject({ statusReason: 'exclusive_key', queuedAt: null })
    expect((await scene().submit([keyed()]))[0]?.status).toBe('pending')
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
  })

  test('the same key in another workspace is another key', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    const submitted = await scene().submit([keyed(), keyed({ workspace: 'other' })])
    expect(submitted.map(job => job.status)).toEqual(['queued', 'queued'])
  })

  test('a job frees its key for the next one, however it ends, in the same transaction', async () => {
    const jobs = newJobs(6, { exclusiveKey: 'events' })
    await scene().submit(jobs)
    const expectHolder = async (index: number) =>
      expect(await statuses(jobs.slice(index, index + 2))).toEqual(['queued', ...(index < 5 ? ['pending'] : [])])
    await scene().end(await scene().claimOne(), COMPLETE)
    await expectHolder(1)
    await scene().end(await scene().claimOne(), failure())
    await expectHolder(2)
    await scene().cancel(jobs[2]!.id)
    await expectHolder(3)
    const cancelling = await scene().claimOne()
    await scene().cancel(cancelling.id)
    expect(await scene().status(jobs[4]!.id)).toBe('pending')
    await scene().end(cancelling, { type: 'cancel', exit: NO_EXIT })
    await expectHolder(4)
    expect(await scene().job(jobs[4]!.id)).toMatchObject({ statusReason: null, queuedAt: scene().clock.now() })
    await scene().end(await scene().claimOne())
    await expectHolder(5)
  })

  test('a job that waits for a retry lets the next one go first, then waits for its key', async () => {
    const [first, second] = [keyed(), keyed()]
    await scene().submit([first, second])
    await scene().end(await scene().claimOne(), retryIn(1000))
    expect(await statuses([first, second])).toEqual(['pending', 'queued'])
    const running = await scene().claimOne()
    expect(running.id).toBe(second.id)
    scene().clock.advance(1000)
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toMatchObject({ nextDueAt: null })
    expect(await scene().job(first.id)).toMatchObject({ status: 'pending', statusReason: 'exclusive_key' })
    await scene().end(running)
    expect(await scene().status(first.id)).toBe('queued')
    expect(await scene().claimOne()).toMatchObject({ id: first.id, attempt: 2 })
  })

  test('a released job keeps its key', async () => {
    const [first, second] = [keyed(), keyed()]
    await scene().submit([first, second])
    await scene().end(await scene().claimOne(), { type: 'release', exit: NO_EXIT })
    expect(await statuses([first, second])).toEqual(['queued', 'pending'])
  })

  test('the next job of a key is the one with the highest priority, then the first submitted', async () => {
    const jobs = [keyed(), keyed(), keyed({ priority: 5 }), keyed({ priority: 5 })]
    await scene().submit(jobs)
    const order: string[] = []
    for (let claimed = await scene().claim(); claimed.length > 0; claimed = await scene().claim()) {
      expect(claimed).toHaveLength(1)
      order.push(claimed[0]!.id)
      await scene().end(claimed[0]!)
    }
    expect(order).toEqual([0, 2, 3, 1].map(index => jobs[index]!.id))
  })

  test('a scheduled job takes its place among the waiting ones when it is due', async () => {
    const holder = keyed()
    const scheduled = keyed({ scheduledAt: scene().clock.now() + 1000 })
    const submitted = await scene().submit([scheduled, holder])
    expect(submitted.map(job => job.status)).toEqual(['pending', 'queued'])
    scene().clock.advance(1000)
    await scene().store.promoteDueJobs({ limit: 10 })
    expect(await scene().job(scheduled.id)).toMatchObject({ status: 'pending', statusReason: 'exclusive_key' })
    await scene().end(await scene().claimOne())
    expect(await scene().status(scheduled.id)).toBe('queued')
  })

  test('of several jobs of one key that become due at once one is queued', async () => {
    await scene().submit(newJobs(4, { exclusiveKey: 'events', scheduledAt: scene().clock.now() + 1000 }))
    scene().clock.advance(1000)
    await scene().store.promoteDueJobs({ limit: 10 })
    expect(await scene().listIds({ status: ['queued'] })).toHaveLength(1)
    expect(await scene().listIds({ status: ['pending'] })).toHaveLength(3)
  })

  test('jobs that end in one call free all of their keys', async () => {
    const keys = ['a', 'b', 'c']
    await scene().submit([...keys, ...keys].map(exclusiveKey => newJob({ exclusiveKey })))
    const claimed = await scene().claim()
    expect(claimed).toHaveLength(3)
    await scene().store.endAttempts(
      claimed.map(job => ({
        lease: { jobId: job.id, attempt: 1, leaseToken: job.leaseToken },
        end: COMPLETE,
        log: [],
      })),
    )
    expect(await scene().claim()).toHaveLength(3)
  })

  test('submits, claims and ends at once never let two jobs of a key run together', async () => {
    const running = new Set<string>()
    let ended = 0
    const worker = async (workerId: string) => {
      while (ended < 40) {
        const claimed = await scene().claim(3, workerId)
        for (const job of claimed) {
          expect(running.has(job.exclusiveKey!)).toBe(false)
          running.add(job.exclusiveKey!)
        }
        for (const job of claimed) {
          running.delete(job.exclusiveKey!)
          await scene().end(job)
          ended++
        }
        await new Promise(resolve => setImmediate(resolve))
      }
    }
    const submits = Array.from({ length: 40 }, (_, index) =>
      scene().submit([newJob({ exclusiveKey: `key-${index % 4}` })]),
    )
    await Promise.all([...submits, worker('a'), worker('b'), worker('c')])
    expect(await scene().listIds({ status: ['completed'] })).toHaveLength(40)
  })

  test('cancelling by filter frees keys as it goes', async () => {
    await scene().submit(newJobs(5, { exclusiveKey: 'events' }))
    let total = 0
    for (let calls = 0; calls < 10; calls++) {
      const outcome = await scene().store.cancelMatching({
        workspace: 'default',
        filters: {},
        reason: 'cancelled_by_user',
        limit: 2,
      })
      total += outcome.cancelled
      if (outcome.cancelled === 0) break
    }
    expect(total).toBe(5)
    expect((await scene().submit([keyed()]))[0]?.status).toBe('queued')
  })
}
