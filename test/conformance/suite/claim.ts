import { expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { newJob, newJobs } from './scene.ts'

export const claimTests: AreaTests = scene => {
  test('a claim starts an attempt and returns everything that was submitted', async () => {
    const { sinks: _, ...job } = await scene().submitOne({
      secrets: Uint8Array.of(7),
      timeoutMs: 5,
      labels: { a: 'b' },
    })
    scene().clock.advance(40)
    const claimed = await scene().claimOne('worker-7')
    expect(claimed).toMatchObject({ ...job, secrets: expect.anything() })
    expect([...claimed.secrets!]).toEqual([7])
    expect(claimed).toMatchObject({
      attempt: 1,
      createdAt: scene().clock.now() - 40,
      startedAt: scene().clock.now(),
      userFailures: 0,
      systemFailures: 0,
      nextLogSeq: 1,
    })
    expect(claimed.leaseToken.length).toBeGreaterThan(10)
    expect(await scene().job(job.id)).toMatchObject({
      status: 'running',
      statusReason: null,
      attempt: 1,
      workerId: 'worker-7',
      startedAt: scene().clock.now(),
      updatedAt: scene().clock.now(),
      queuedAt: scene().clock.now() - 40,
    })
  })

  test('higher priority is claimed first, then the order of submission', async () => {
    const jobs = [0, 5, -3, 5, 0, 100, -100].map(priority => newJob({ priority }))
    await scene().submit(jobs.slice(0, 4))
    await scene().submit(jobs.slice(4))
    const order = [5, 1, 3, 0, 4, 2, 6].map(index => jobs[index]!.id)
    const claimed = [...(await scene().claim(3)), ...(await scene().claim(10))]
    expect(claimed.map(job => job.id)).toEqual(order)
  })

  test('priority and order hold across kinds', async () => {
    const jobs = (['http', 'command', 'http', 'query', 'command'] as const).map((kind, index) =>
      newJob({ kind, priority: index === 4 ? 1 : 0 }),
    )
    await scene().submit(jobs)
    const claimed = await scene().claim(4)
    expect(claimed.map(job => job.id)).toEqual([4, 0, 1, 2].map(index => jobs[index]!.id))
  })

  test('only jobs of the requested kinds are claimed', async () => {
    const jobs = [newJob({ kind: 'http' }), newJob({ kind: 'query' }), newJob({ kind: 'command' })]
    await scene().submit(jobs)
    const claimed = await scene().store.claimJobs({
      workerId: 'w',
      kinds: ['command', 'query'],
      limit: 10,
      leaseMs: LEASE_MS,
    })
    expect(claimed.map(job => job.id)).toEqual([jobs[1]!.id, jobs[2]!.id])
    expect(await scene().store.claimJobs({ workerId: 'w', kinds: [], limit: 10, leaseMs: LEASE_MS })).toEqual([])
  })

  test('no more than the limit is claimed', async () => {
    await scene().submit(newJobs(10))
    expect(await scene().claim(4)).toHaveLength(4)
    expect(await scene().claim(4)).toHaveLength(4)
    expect(await scene().claim(4)).toHaveLength(2)
    expect(await scene().claim(4)).toEqual([])
  })

  test('invariant 2: workers that claim at once never get the same job', async () => {
    await scene().submit(newJobs(300))
    const claims = await Promise.all(Array.from({ length: 12 }, (_, index) => scene().claim(40, `worker-${index}`)))
    const ids = claims.flat().map(job => job.id)
    expect(new Set(ids).size).toBe(ids.length)
    ids.push(...(await scene().claim(300)).map(job => job.id))
    expect(new Set(ids).size).toBe(300)
    expect(ids).toHaveLength(300)
  })

  test('invariant 2: every attempt has its own lease token', async () => {
    await scene().submit(newJobs(50))
    const tokens = (await scene().claim(50)).map(job => job.leaseToken)
    expect(new Set(tokens).size).toBe(50)
  })

  test('ended jobs are never claimed again', async () => {
    await scene().finished()
    expect(await scene().claim()).toEqual([])
  })
}
