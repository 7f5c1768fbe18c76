import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, newJobs, retryIn, WORKSPACE } from './scene.ts'

export const cancelTests: AreaTests = scene => {
  test('a job cancelled while queued ends at once and never starts', async () => {
    const job = await scene().submitOne()
    scene().clock.advance(5)
    const outcome = await scene().cancel(job.id)
    const ended = {
      status: 'cancelled',
      statusReason: 'cancelled_by_user',
      finishedAt: scene().clock.now(),
      updatedAt: scene().clock.now(),
      startedAt: null,
      attempt: 0,
    }
    expect(outcome).toMatchObject({ type: 'cancelled', job: ended })
    expect(await scene().job(job.id)).toMatchObject(ended)
    expect(await scene().claim()).toEqual([])
    expect(await scene().store.listAttempts({ workspace: WORKSPACE, jobId: job.id })).toEqual([])
  })

  test('a pending job is cancelled at once and never becomes due', async () => {
    const job = await scene().submitOne({ scheduledAt: scene().clock.now() + 1000 })
    expect((await scene().cancel(job.id)).type).toBe('cancelled')
    scene().clock.advance(2000)
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
    expect(await scene().claim()).toEqual([])
  })

  test('a job cancelled while it waits for a retry keeps its attempts', async () => {
    const job = await scene().start()
    await scene().end(job, retryIn(1000))
    expect((await scene().cancel(job.id)).type).toBe('cancelled')
    expect(await scene().job(job.id)).toMatchObject({ status: 'cancelled', attempt: 1, userFailures: 1 })
    const attempts = await scene().store.listAttempts({ workspace: WORKSPACE, jobId: job.id })
    expect(attempts).toMatchObject([{ attempt: 1, outcome: 'failed', reason: 'exit_code' }])
  })

  test('a running job becomes cancelling and its worker is told to stop it', async () => {
    const job = await scene().start({}, 'worker-1')
    const other = await scene().start({}, 'worker-2')
    const outcome = await scene().cancel(job.id, 3000)
    expect(outcome).toMatchObject({
      type: 'cancelling',
      job: { status: 'cancelling', statusReason: 'cancelled_by_user' },
    })
    const order = { jobId: job.id, attempt: 1, reason: 'cancelled_by_user', graceMs: 3000 }
    expect(await scene().store.listCancelling({ workerId: 'worker-1' })).toEqual([order])
    expect(await scene().store.listCancelling({ workerId: 'worker-2' })).toEqual([])
    const renewed = await scene().store.renewLeases({ leases: [leaseOf(job), leaseOf(other)], leaseMs: LEASE_MS })
    expect(renewed).toEqual({ lost: [], cancelling: [order] })
  })

  test('the reason of a cancel is kept', async () => {
    const queued = await scene().submitOne()
    const reason = 'run_terminated' as const
    await scene().store.cancelJob({ workspace: WORKSPACE, jobId: queued.id, reason, graceMs: null })
    expect((await scene().job(queued.id)).statusReason).toBe(reason)
    const running = await scene().start()
    await scene().store.cancelJob({ workspace: WORKSPACE, jobId: running.id, reason, graceMs: null })
    expect((await scene().store.listCancelling({ workerId: 'worker-1' }))[0]?.reason).toBe(reason)
    await scene().end(running, { type: 'cancel', exit: NO_EXIT })
    expect((await scene().job(running.id)).statusReason).toBe(reason)
  })

  test('a cancelling job ends as cancelled, however its attempt ends', async () => {
    const ends = [
      COMPLETE,
      failure(),
      retryIn(10),
      { type: 'cancel', exit: NO_EXIT },
      { type: 'release', exit: NO_EXIT },
    ] as const
    for (const end of ends) {
      const job = await scene().start()
      await scene().cancel(job.id)
      expect(await scene().end(job, end)).toEqual({ jobId: job.id, applied: true, status: 'cancelled' })
      expect(await scene().job(job.id)).toMatchObject({
        status: 'cancelled',
        statusReason: 'cancelled_by_user',
        exitCode: end.exit.exitCode,
        finishedAt: scene().clock.now(),
      })
      const attempts = await scene().store.listAttempts({ workspace: WORKSPACE, jobId: job.id })
      expect(attempts).toMatchObject([{ attempt: 1, outcome: 'cancelled', reason: 'cancelled_by_user' }])
    }
  })

  test('of several cancels at once exactly one is new', async () => {
    for (const job of [await scene().start(), await scene().start(), await scene().submitOne()]) {
      const outcomes = await Promise.all([scene().cancel(job.id), scene().cancel(job.id), scene().cancel(job.id)])
      expect(outcomes.filter(outcome => 'isNew' in outcome && outcome.isNew)).toHaveLength(1)
    }
  })

  test('cancelling again gives the same answer and can only shorten the grace period', async () => {
    const job = await scene().start()
    const grace = async () => (await scene().store.listCancelling({ workerId: 'worker-1' }))[0]?.graceMs
    await scene().cancel(job.id, 5000)
    expect((await scene().cancel(job.id, 9000)).type).toBe('cancelling')
    expect(await grace()).toBe(5000)
    expect((await scene().cancel(job.id)).type).toBe('cancelling')
    expect(await grace()).toBe(5000)
    await scene().cancel(job.id, 0)
    expect(await grace()).toBe(0)
  })

  test('a grace period given later does not extend that of the job', async () => {
    const job = await scene().start({ graceMs: 2000 })
    const grace = async () => (await scene().store.listCancelling({ workerId: 'worker-1' }))[0]?.graceMs
    await scene().cancel(job.id)
    expect(await grace()).toBeNull()
    await scene().cancel(job.id, 60_000)
    expect((await grace()) ?? 2000).toBe(2000)
    await scene().cancel(job.id, 1000)
    expect(await grace()).toBe(1000)
  })

  test('a job that has ended or does not exist is not cancelled', async () => {
    const job = await scene().finished()
    expect(await scene().cancel(job.id)).toMatchObject({ type: 'ended', job: { status: 'completed' } })
    expect(await scene().cancel('unknown')).toEqual({ type: 'not_found' })
  })

  test('invariant 4: cancel and claim at once: the job runs or is cancelled, never both', async () => {
    const jobs = newJobs(40)
    await scene().submit(jobs)
    const [claims, ...outcomes] = await Promise.all([scene().claim(40), ...jobs.map(job => scene().cancel(job.id))])
    const claimed = new Set(claims.map(job => job.id))
    for (const [index, job] of jobs.entries()) {
      const status = await scene().status(job.id)
      expect(outcomes[index]!.type).toBe(status === 'cancelled' ? 'cancelled' : 'cancelling')
      expect(claimed.has(job.id)).toBe(status === 'cancelling')
    }
  })

  test('invariant 4: cancel and end at once: one order or the other, and the answers agree with it', async () => {
    await scene().submit(newJobs(30))
    for (const job of await scene().claim(30)) {
      const [outcome, result] = await Promise.all([scene().cancel(job.id), scene().end(job)])
      expect(result.applied).toBe(true)
      const status = await scene().status(job.id)
      expect(result.status).toBe(status)
      expect(status).toBe(outcome.type === 'ended' ? 'completed' : 'cancelled')
    }
  })

  test('jobs are cancelled by filter, at most `limit` a call', async () => {
    const matching = newJobs(7, { name: 'night' })
    const others = newJobs(3, { name: 'day' })
    await scene().submit([...matching, ...others])
    const running = await scene().claim(2)
    const cancelSome = (limit: number) =>
      scene().store.cancelMatching({
        workspace: WORKSPACE,
        filters: { name: 'night' },
        reason: 'cancelled_by_user',
        limit,
      })
    const total = { cancelled: 0, cancelling: 0 }
    for (let calls = 0; calls < 20; calls++) {
      const { cancelled, cancelling } = await cancelSome(3)
      expect(cancelled + cancelling).toBeLessThanOrEqual(3)
      if (cancelled + cancelling === 0) break
      total.cancelled += cancelled
      total.cancelling += cancelling
    }
    expect(total).toEqual({ cancelled: 5, cancelling: 2 })
    expect(await scene().listIds({ status: ['cancelling'] })).toEqual(running.map(job => job.id).reverse())
    expect(await scene().listIds({ status: ['queued'] })).toHaveLength(3)
  })

  test('a filter on status cancels only jobs of that status', async () => {
    await scene().submit([newJob({ priority: 1 }), newJob(), newJob({ scheduledAt: scene().clock.now() + 1000 })])
    await scene().claim(1)
    const outcome = await scene().store.cancelMatching({
      workspace: WORKSPACE,
      filters: { status: ['pending', 'completed'] },
      reason: 'cancelled_by_user',
      limit: 100,
    })
    expect(outcome).toEqual({ cancelled: 1, cancelling: 0 })
    expect(await scene().listIds({ status: ['queued', 'running'] })).toHaveLength(2)
  })
}
