import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, logPart, NO_EXIT, newJobs, retryIn } from './scene.ts'

export const leaseTests: AreaTests = scene => {
  const renew = (...jobs: Parameters<typeof leaseOf>[0][]) =>
    scene().store.renewLeases({ leases: jobs.map(leaseOf), leaseMs: LEASE_MS })

  test('a renewed lease is not lost', async () => {
    const job = await scene().start()
    for (let round = 0; round < 3; round++) {
      scene().clock.advance(LEASE_MS - 1000)
      expect(await renew(job)).toEqual({ lost: [], cancelling: [] })
    }
    expect(await scene().lost()).toEqual([])
    expect((await scene().end(job)).applied).toBe(true)
  })

  test('invariant 5: an attempt whose lease has expired is listed with everything the rescue needs', async () => {
    const job = await scene().start({ restartable: false })
    scene().clock.advance(LEASE_MS - 1)
    expect(await scene().lost()).toEqual([])
    scene().clock.advance(1)
    const lost = await scene().lost()
    expect(lost).toEqual([
      {
        lease: leaseOf(job),
        workerId: 'worker-1',
        workspace: job.workspace,
        kind: job.kind,
        retry: job.retry,
        restartable: false,
        userFailures: 0,
        systemFailures: 0,
        nextLogSeq: 1,
      },
    ])
  })

  test('invariant 5: cancelling attempts are rescued too, and end as cancelled', async () => {
    const job = await scene().start()
    await scene().cancel(job.id)
    scene().clock.advance(LEASE_MS + 1)
    const [lost] = await scene().lost()
    const end = failure({ failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
    const [result] = await scene().store.endAttempts([{ lease: lost!.lease, end, log: [] }])
    expect(result).toEqual({ jobId: job.id, applied: true, status: 'cancelled' })
  })

  test('invariant 5: a restarted server finds the attempts of its former process at once', async () => {
    const mine = await scene().start({}, 'server-1')
    await scene().start({}, 'server-2')
    await scene().reopen()
    const lost = await scene().lost(['server-1'])
    expect(lost.map(attempt => attempt.lease)).toEqual([leaseOf(mine)])
    expect(await scene().lost()).toEqual([])
  })

  test('no more lost attempts than the limit are listed', async () => {
    await scene().submit(newJobs(5))
    await scene().claim(5)
    scene().clock.advance(LEASE_MS)
    expect(await scene().store.listLostAttempts({ leaseMs: LEASE_MS, limit: 3 })).toHaveLength(3)
  })

  test('an expired lease cannot be renewed', async () => {
    const job = await scene().start()
    scene().clock.advance(LEASE_MS)
    expect(await renew(job)).toEqual({ lost: [job.id], cancelling: [] })
  })

  test('leases of ended, unknown and foreign attempts are lost', async () => {
    const ended = await scene().finished()
    const running = await scene().start()
    const outcome = await scene().store.renewLeases({
      leases: [
        leaseOf(ended),
        { jobId: 'unknown', attempt: 1, leaseToken: 'x' },
        { ...leaseOf(running), leaseToken: 'x' },
      ],
      leaseMs: LEASE_MS,
    })
    expect([...outcome.lost].sort()).toEqual([ended.id, 'unknown', running.id].sort())
    expect(await renew(running)).toEqual({ lost: [], cancelling: [] })
  })

  test('invariant 2: after a rescue every late write of the former worker is refused', async () => {
    const first = await scene().start({}, 'worker-1')
    scene().clock.advance(LEASE_MS)
    const [lost] = await scene().lost()
    const rescue = retryIn(0, { failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
    await scene().store.endAttempts([{ lease: lost!.lease, end: rescue, log: [] }])
    await scene().store.promoteDueJobs({ limit: 10 })
    const second = await scene().claimOne('worker-2')
    expect(second).toMatchObject({ id: first.id, attempt: 2, systemFailures: 1 })

    expect(await renew(first)).toEqual({ lost: [first.id], cancelling: [] })
    expect(await scene().end(first, COMPLETE)).toMatchObject({ applied: false, status: 'running' })
    expect(await scene().store.addLogParts({ lease: leaseOf(first), parts: [logPart(1, 1)] })).toEqual({
      applied: false,
    })
    const progress = { percentage: 5, message: null }
    expect(
      await scene().store.setProgress({ workspace: first.workspace, jobId: first.id, progress, lease: leaseOf(first) }),
    ).toBe('not_running')
    expect((await scene().end(second)).applied).toBe(true)
    expect(await scene().job(first.id)).toMatchObject({
      status: 'completed',
      workerId: 'worker-2',
      attempt: 2,
      progress: null,
    })
  })

  test('invariant 2: worker and rescuer at once: exactly one of them ends the attempt', async () => {
    await scene().submit(newJobs(20))
    const jobs = await scene().claim(20)
    scene().clock.advance(LEASE_MS)
    const lost = await scene().lost()
    expect(lost).toHaveLength(20)
    const rescue = failure({ failure: 'system', reason: 'worker_lost' })
    for (const [index, job] of jobs.entries()) {
      const [byWorker, byRescuer] = await Promise.all([
        scene().end(job),
        scene().store.endAttempts([
          { lease: lost.find(attempt => attempt.lease.jobId === job.id)!.lease, end: rescue, log: [] },
        ]),
      ])
      expect([byWorker.applied, byRescuer[0]!.applied].filter(Boolean), `job ${index}`).toHaveLength(1)
      expect(await scene().status(job.id)).toBe(byWorker.applied ? 'completed' : 'failed')
    }
  })

  test('a job’s own token is valid for its attempt only while that runs', async () => {
    const job = await scene().start({ scopes: ['jobs:read', 'artifacts:write'] })
    const find = (attempt: number) => scene().store.findRunningAttempt({ jobId: job.id, attempt })
    expect(await find(1)).toEqual({ workspace: 'default', scopes: ['jobs:read', 'artifacts:write'] })
    expect(await find(2)).toBeNull()
    await scene().cancel(job.id)
    expect(await find(1)).not.toBeNull()
    await scene().end(job, { type: 'cancel', exit: NO_EXIT })
    expect(await find(1)).toBeNull()
    expect(await scene().store.findRunningAttempt({ jobId: 'unknown', attempt: 1 })).toBeNull()
  })
}
