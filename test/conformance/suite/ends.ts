import { expect, test } from 'vitest'
import { KINDS } from '../../../src/model/kind.ts'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, logPart, NO_EXIT, newJobs, retryIn, WORKSPACE } from './scene.ts'

export const endTests: AreaTests = scene => {
  const attempts = (jobId: string) => scene().store.listAttempts({ workspace: WORKSPACE, jobId })

  test('a completed job keeps its exit and statistics', async () => {
    const job = await scene().start()
    const startedAt = scene().clock.now()
    scene().clock.advance(1234)
    const result = await scene().end(job, {
      type: 'complete',
      exit: { exitCode: 0, signal: null },
      result: null,
      statistics: { rows_read: 12 },
    })
    expect(result).toEqual({ jobId: job.id, applied: true, status: 'completed' })
    expect(await scene().job(job.id)).toMatchObject({
      status: 'completed',
      statusReason: null,
      errorMessage: null,
      startedAt,
      finishedAt: startedAt + 1234,
      updatedAt: startedAt + 1234,
      attempt: 1,
      workerId: 'worker-1',
      exitCode: 0,
      signal: null,
      statistics: { rows_read: 12 },
      queuedAt: startedAt,
    })
    expect(await attempts(job.id)).toEqual([
      {
        attempt: 1,
        workerId: 'worker-1',
        startedAt,
        finishedAt: startedAt + 1234,
        outcome: 'completed',
        reason: null,
        errorMessage: null,
        exitCode: 0,
        signal: null,
        statistics: { rows_read: 12 },
      },
    ])
  })

  test('an attempt ends whose message holds a NUL character, which PostgreSQL cannot store', async () => {
    const job = await scene().start()
    expect(await scene().end(job, failure({ message: 'before\u0000after' }))).toMatchObject({ applied: true })
    expect((await scene().job(job.id)).errorMessage).toMatch(/^before.after$/)
  })

  test('a failed job keeps its statistics, and so does each attempt that failed before', async () => {
    const first = await scene().start()
    await scene().end(first, retryIn(0, { statistics: { http_status: 502 } }))
    expect(await scene().job(first.id)).toMatchObject({ status: 'pending', statistics: null })
    await scene().store.promoteDueJobs({ limit: 10 })
    const second = await scene().claimOne()
    await scene().end(second, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 10 })
    const third = await scene().claimOne()
    expect(await attempts(first.id)).toMatchObject([
      { statistics: { http_status: 502 } },
      { statistics: null },
      { outcome: 'running', statistics: null },
    ])
    await scene().end(third, failure({ statistics: { http_status: 503, bytes: 7 } }))
    const kept = { status: 'failed', statistics: { http_status: 503, bytes: 7 } }
    expect(await scene().job(first.id)).toMatchObject(kept)
    expect((await attempts(first.id))?.at(-1)).toMatchObject({ outcome: 'failed', statistics: kept.statistics })
  })

  test('a failed job keeps its reason, message and signal', async () => {
    const job = await scene().start()
    const end = failure({ reason: 'signal', message: 'ended by SIGSEGV', exit: { exitCode: null, signal: 'SIGSEGV' } })
    expect(await scene().end(job, end)).toEqual({ jobId: job.id, applied: true, status: 'failed' })
    const kept = { errorMessage: 'ended by SIGSEGV', exitCode: null, signal: 'SIGSEGV' }
    expect(await scene().job(job.id)).toMatchObject({
      ...kept,
      status: 'failed',
      statusReason: 'signal',
      userFailures: 1,
      systemFailures: 0,
    })
    expect(await attempts(job.id)).toMatchObject([{ ...kept, attempt: 1, outcome: 'failed', reason: 'signal' }])
  })

  test('a retry waits as pending and is then another attempt of the same job', async () => {
    const job = await scene().start({
      retry: { maximumAttempts: 3, initialInterval: 500, backoffCoefficient: 1, maximumInterval: null },
    })
    expect(await scene().end(job, retryIn(500))).toEqual({ jobId: job.id, applied: true, status: 'pending' })
    expect(await scene().job(job.id)).toMatchObject({
      status: 'pending',
      statusReason: 'retry_wait',
      errorMessage: 'exit code 1',
      attempt: 1,
      userFailures: 1,
      systemFailures: 0,
      finishedAt: null,
    })
    expect(await scene().claim()).toEqual([])
    scene().clock.advance(500)
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 1, nextDueAt: null })
    const second = await scene().claimOne('worker-2')
    expect(second).toMatchObject({ id: job.id, attempt: 2, userFailures: 1, systemFailures: 0 })
    expect(second.leaseToken).not.toBe(job.leaseToken)
    expect(await scene().job(job.id)).toMatchObject({
      status: 'running',
      attempt: 2,
      errorMessage: null,
      exitCode: null,
    })
    await scene().end(second)
    expect(await attempts(job.id)).toMatchObject([
      {
        attempt: 1,
        workerId: 'worker-1',
        outcome: 'failed',
        reason: 'exit_code',
        exitCode: 1,
        finishedAt: scene().clock.now() - 500,
      },
      {
        attempt: 2,
        workerId: 'worker-2',
        outcome: 'completed',
        reason: null,
        exitCode: 0,
        finishedAt: scene().clock.now(),
      },
    ])
    expect(await scene().job(job.id)).toMatchObject({
      status: 'completed',
      attempt: 2,
      userFailures: 1,
      errorMessage: null,
    })
  })

  test('system failures are counted apart from user failures', async () => {
    const job = await scene().start()
    await scene().end(job, retryIn(0, { failure: 'system', reason: 'worker_lost', message: 'gone', exit: NO_EXIT }))
    await scene().store.promoteDueJobs({ limit: 10 })
    const second = await scene().claimOne()
    expect(second).toMatchObject({ userFailures: 0, systemFailures: 1, attempt: 2 })
    await scene().end(second, failure({ failure: 'system', reason: 'launcher_lost' }))
    expect(await scene().job(job.id)).toMatchObject({
      status: 'failed',
      statusReason: 'launcher_lost',
      userFailures: 0,
      systemFailures: 2,
    })
  })

  test('a released job is queued again and has used up no attempt', async () => {
    const job = await scene().start()
    expect(await scene().end(job, { type: 'release', exit: { exitCode: null, signal: 'SIGTERM' } })).toEqual({
      jobId: job.id,
      applied: true,
      status: 'queued',
    })
    expect(await scene().job(job.id)).toMatchObject({ status: 'queued', userFailures: 0, systemFailures: 0 })
    expect(await attempts(job.id)).toMatchObject([
      { attempt: 1, outcome: 'released', reason: 'shutdown', signal: 'SIGTERM' },
    ])
    const second = await scene().claimOne()
    expect(second).toMatchObject({ id: job.id, attempt: 2, userFailures: 0 })
  })

  test('a running attempt is listed as running, and a job that never ran has no attempts', async () => {
    const waiting = await scene().submitOne({ priority: -1 })
    const running = await scene().start()
    expect(await attempts(running.id)).toMatchObject([
      { attempt: 1, outcome: 'running', finishedAt: null, workerId: 'worker-1' },
    ])
    expect(await attempts(waiting.id)).toEqual([])
    expect(await attempts('unknown')).toBeNull()
  })

  test('invariant 2: an end with a wrong token, attempt or job is refused and changes nothing', async () => {
    const job = await scene().start()
    const other = await scene().start()
    const lease = leaseOf(job)
    const wrong = [
      { ...lease, leaseToken: 'wrong' },
      { ...lease, leaseToken: '' },
      { ...lease, attempt: 2 },
      { ...lease, attempt: 0 },
      { ...lease, jobId: other.id },
      { ...lease, leaseToken: other.leaseToken },
    ]
    const results = await scene().store.endAttempts(
      wrong.map(lease => ({ lease, end: COMPLETE, log: [logPart(1, 2)] })),
    )
    expect(results.map(result => result.applied)).toEqual(wrong.map(() => false))
    expect(results.map(result => result.status)).toEqual(wrong.map(() => 'running'))
    expect(await scene().status(job.id)).toBe('running')
    expect(await scene().status(other.id)).toBe('running')
    const log = await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 10 })
    expect(log?.parts).toEqual([])
  })

  test('an end of an unknown job is refused', async () => {
    const lease = { jobId: 'unknown', attempt: 1, leaseToken: 'x' }
    expect(await scene().store.endAttempts([{ lease, end: COMPLETE, log: [] }])).toEqual([
      { jobId: 'unknown', applied: false, status: null },
    ])
  })

  test('invariant 3: an ended job never changes, whatever arrives late', async () => {
    const ends = [
      COMPLETE,
      failure(),
      retryIn(0),
      { type: 'cancel', exit: NO_EXIT },
      { type: 'release', exit: NO_EXIT },
    ] as const
    for (const last of [COMPLETE, failure()]) {
      const job = await scene().finished({}, last)
      const before = await scene().job(job.id)
      scene().clock.advance(10)
      for (const late of ends)
        expect(await scene().end(job, late)).toMatchObject({ applied: false, status: before.status })
      expect((await scene().cancel(job.id)).type).toBe('ended')
      expect(
        await scene().store.setProgress({
          workspace: WORKSPACE,
          jobId: job.id,
          progress: { percentage: 1, message: null },
        }),
      ).toBe('not_running')
      await scene().store.promoteDueJobs({ limit: 10 })
      expect(await scene().job(job.id)).toEqual(before)
    }
  })

  test('invariant 4: of two ends of one attempt exactly one is applied', async () => {
    await scene().submit(newJobs(20))
    for (const job of await scene().claim(20)) {
      const results = await Promise.all([
        scene().end(job, COMPLETE),
        scene().end(job, failure()),
        scene().end(job, retryIn(5)),
      ])
      expect(results.filter(result => result.applied)).toHaveLength(1)
    }
  })

  test('invariant 4: the same attempt twice in one call is ended once', async () => {
    const job = await scene().start()
    const end = { lease: leaseOf(job), end: COMPLETE, log: [] }
    const results = await scene().store.endAttempts([end, end])
    expect(results.map(result => result.applied)).toEqual([true, false])
  })

  test('a job that nobody cancelled cannot end as cancelled', async () => {
    const job = await scene().start()
    expect(await scene().end(job, { type: 'cancel', exit: NO_EXIT })).toEqual({
      jobId: job.id,
      applied: false,
      status: 'running',
    })
    expect(await scene().status(job.id)).toBe('running')
  })

  test('many jobs can end in one call, in order, each on its own', async () => {
    const jobs = newJobs(50)
    await scene().submit(jobs)
    const claimed = await scene().store.claimJobs({ workerId: 'w', kinds: KINDS, limit: 50, leaseMs: LEASE_MS })
    const results = await scene().store.endAttempts(
      claimed.map((job, index) => ({
        lease: index % 10 === 3 ? { ...leaseOf(job), leaseToken: 'lost' } : leaseOf(job),
        end: index % 2 ? COMPLETE : failure(),
        log: [],
      })),
    )
    expect(results).toEqual(
      claimed.map((job, index) =>
        index % 10 === 3
          ? { jobId: job.id, applied: false, status: 'running' }
          : { jobId: job.id, applied: true, status: index % 2 ? 'completed' : 'failed' },
      ),
    )
  })

  test('the log of an attempt is stored in the transaction that ends it', async () => {
    const job = await scene().finished({}, COMPLETE, [logPart(1, 3), logPart(4, 9)])
    const log = await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 10 })
    expect(log).toMatchObject({ status: 'completed', attempt: 1, purged: false })
    expect(log?.parts.map(part => [part.firstSeq, part.lastSeq])).toEqual([
      [1, 3],
      [4, 9],
    ])
    expect(Buffer.from(log!.parts[1]!.data!).toString()).toBe('lines 4 to 9')
  })

  test('the latest progress wins, only while the attempt runs, and is kept after the end', async () => {
    const job = await scene().start()
    const set = (percentage: number, lease?: ReturnType<typeof leaseOf>, workspace = WORKSPACE) =>
      scene().store.setProgress({
        workspace,
        jobId: job.id,
        progress: { percentage, message: 'half way', steps: [{ id: 'a', status: 'done' }] },
        ...(lease ? { lease } : {}),
      })
    expect(await set(10, leaseOf(job))).toBe('set')
    expect(await set(50)).toBe('set')
    expect(await set(60, { ...leaseOf(job), leaseToken: 'lost' })).toBe('not_running')
    expect(await set(60, undefined, 'other')).toBe('not_found')
    const progress = { percentage: 50, message: 'half way', steps: [{ id: 'a', status: 'done' }] }
    expect((await scene().job(job.id)).progress).toEqual(progress)
    await scene().end(job)
    expect((await scene().job(job.id)).progress).toEqual(progress)
    expect(await set(99)).toBe('not_running')
    const waiting = await scene().submitOne()
    expect(
      await scene().store.setProgress({
        workspace: WORKSPACE,
        jobId: waiting.id,
        progress: { percentage: 1, message: null },
      }),
    ).toBe('not_running')
  })

  test('a new attempt starts without the progress of the previous one', async () => {
    const job = await scene().start()
    await scene().store.setProgress({
      workspace: WORKSPACE,
      jobId: job.id,
      progress: { percentage: 90, message: null },
    })
    await scene().end(job, { type: 'release', exit: NO_EXIT })
    await scene().claimOne()
    expect((await scene().job(job.id)).progress).toBeNull()
  })
}
