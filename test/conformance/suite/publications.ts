import { expect, test } from 'vitest'
import type { ClaimedJob, NewJob } from '../../../src/model/job.ts'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { AttemptEnd } from '../../../src/model/outcome.ts'
import type { AreaTests } from '../store-suite.ts'
import { PUBLICATION, publicationSteps } from './publication-steps.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, retryIn, WORKSPACE } from './scene.ts'

export const publicationTests: AreaTests = scene => {
  const { commit, get, finish } = publicationSteps(scene)
  const start = (overrides: Partial<NewJob> = {}) => scene().start({ exclusiveKey: 'table', ...overrides })
  const published = async (overrides: Partial<NewJob> = {}) => {
    const job = await start(overrides)
    expect(await commit(job)).toBe('committed')
    return job
  }
  const list = (workspace = WORKSPACE) => scene().store.listPublications({ workspace })
  const attempts = (jobId: string) => scene().store.listAttempts({ workspace: WORKSPACE, jobId })

  test('a publication reads back as it was committed, even after reopening', async () => {
    const job = await start()
    expect(await get(job.id)).toBeNull()
    expect(await commit(job)).toBe('committed')
    const publication = {
      ...PUBLICATION,
      jobId: job.id,
      workspace: WORKSPACE,
      createdAt: scene().clock.now(),
      jobEnded: false,
    }
    expect(await get(job.id)).toEqual(publication)
    await scene().reopen()
    expect(await list()).toEqual([publication])
    await scene().end(job)
    expect(await get(job.id)).toEqual({ ...publication, jobEnded: true })
    expect(await scene().job(job.id)).toMatchObject({ status: 'completed' })
  })

  test('nothing is committed if the setting has changed, and the attempt may end in any way', async () => {
    const job = await start()
    const { store } = scene()
    const commitFor = (value: string) =>
      store.commitPublication({
        workspace: WORKSPACE,
        lease: leaseOf(job),
        publication: PUBLICATION,
        ifSetting: { name: 'home', value },
      })
    expect(await commitFor('one')).toBe('lost')
    await store.setSetting({ name: 'home', value: 'two' })
    expect(await commitFor('one')).toBe('lost')
    expect(await get(job.id)).toBeNull()
    expect(await commitFor('two')).toBe('committed')
    await store.setSetting({ name: 'home', value: 'three' })
    expect(await commitFor('two')).toBe('committed')
    const other = await start({ exclusiveKey: 'other' })
    expect(
      await store.commitPublication({
        workspace: WORKSPACE,
        lease: leaseOf(other),
        publication: PUBLICATION,
        ifSetting: { name: 'home', value: 'two' },
      }),
    ).toBe('lost')
    expect(await scene().end(other, failure())).toMatchObject({ applied: true, status: 'failed' })
  })

  test('invariant 2: an attempt that has lost its lease commits nothing', async () => {
    const job = await start()
    const wrong = [
      { ...job, attempt: 2 },
      { ...job, leaseToken: 'token' },
      { ...job, id: 'unknown' },
    ]
    for (const other of wrong) expect(await commit(other)).toBe('lost')
    expect(await commit({ ...job, workspace: 'other' })).toBe('lost')
    await scene().end(job, { type: 'release', exit: NO_EXIT })
    expect(await commit(job)).toBe('lost')
    const next = await scene().claimOne()
    await scene().end(next)
    expect(await commit(next)).toBe('lost')
    expect(await list()).toEqual([])
  })

  test('a cancelling job commits nothing and is cancelled', async () => {
    const job = await start()
    await scene().cancel(job.id)
    expect(await commit(job)).toBe('cancelling')
    expect(await list()).toEqual([])
    expect(await scene().end(job)).toMatchObject({ status: 'cancelled' })
  })

  test('the first publication of a job is kept when it is committed again', async () => {
    const job = await published()
    expect(await commit(job, { ...PUBLICATION, outcome: 'other' })).toBe('committed')
    await scene().cancel(job.id)
    expect(await commit(job, { ...PUBLICATION, outcome: 'other' })).toBe('committed')
    expect(await list()).toMatchObject([PUBLICATION])
  })

  test('only a job with an exclusive key may publish', async () => {
    const job = await scene().start()
    await expect(commit(job)).rejects.toThrow()
    expect(await list()).toEqual([])
    expect(await scene().end(job)).toMatchObject({ status: 'completed' })
  })

  test('a published job that completes while it is cancelling is completed', async () => {
    const job = await published({ sinks: [{ index: 0, onFailure: false }] })
    expect(await scene().cancel(job.id)).toMatchObject({ type: 'cancelling', job: { status: 'cancelling' } })
    const result = {
      format: 'json',
      bytes: 2,
      sha256: 'ab',
      keptMs: null,
      content: { data: Uint8Array.of(1) },
    } as const
    const end = { ...COMPLETE, statistics: { rows: 3 }, result }
    expect(await scene().end(job, end)).toEqual({ jobId: job.id, applied: true, status: 'completed' })
    expect(await scene().job(job.id)).toMatchObject({
      status: 'completed',
      statusReason: null,
      statistics: { rows: 3 },
      result: { format: 'json' },
    })
    expect(await attempts(job.id)).toMatchObject([{ outcome: 'completed', reason: null }])
    const { deliveries } = await scene().store.listDeliveries({
      workspace: WORKSPACE,
      filters: {},
      limit: 10,
      cursor: null,
    })
    expect(deliveries).toHaveLength(1)
  })

  const ENDS: readonly (readonly [end: AttemptEnd, past: object])[] = [
    [failure(), { outcome: 'failed', reason: 'exit_code', errorMessage: 'exit code 1', exitCode: 1 }],
    [failure({ failure: 'system', reason: 'worker_lost' }), { outcome: 'failed', reason: 'worker_lost' }],
    [retryIn(60_000), { outcome: 'failed', reason: 'exit_code', errorMessage: 'exit code 1' }],
    [{ type: 'release', exit: NO_EXIT }, { outcome: 'released' }],
    [{ type: 'cancel', exit: NO_EXIT }, { outcome: 'released' }],
  ]

  test('a published job that ends in another way is queued at once without using up an attempt, and completes next', async () => {
    for (const isCancelled of [false, true])
      for (const [end, past] of ENDS) {
        const job = await published()
        scene().clock.advance(5)
        if (isCancelled) await scene().cancel(job.id, 1000)
        scene().clock.advance(5)
        expect(await scene().end(job, end)).toEqual({ jobId: job.id, applied: true, status: 'queued' })
        expect(await scene().job(job.id)).toMatchObject({
          status: 'queued',
          statusReason: null,
          errorMessage: null,
          queuedAt: scene().clock.now(),
          updatedAt: scene().clock.now(),
          userFailures: 0,
          systemFailures: 0,
          workerId: null,
        })
        const reason = past && 'reason' in past ? {} : { reason: isCancelled ? 'cancelled_by_user' : 'shutdown' }
        expect(await attempts(job.id)).toMatchObject([{ ...past, ...reason, finishedAt: scene().clock.now() }])
        expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
        await finish(job.id)
      }
  })

  test('the next attempt of a published job is not told to stop because the last one was', async () => {
    const job = await published()
    await scene().cancel(job.id, 1)
    await scene().end(job, { type: 'cancel', exit: NO_EXIT })
    const next = await scene().claimOne('worker-2')
    expect(await scene().store.listCancelling({ workerId: 'worker-2' })).toEqual([])
    expect(await scene().store.renewLeases({ leases: [leaseOf(next)], leaseMs: LEASE_MS })).toEqual({
      lost: [],
      cancelling: [],
    })
    await scene().cancel(job.id)
    expect(await scene().store.listCancelling({ workerId: 'worker-2' })).toMatchObject([{ attempt: 2, graceMs: null }])
    expect(await scene().end(next)).toMatchObject({ status: 'completed' })
  })

  test('a published job whose worker is lost is queued again by the rescue', async () => {
    const job = await published()
    await scene().cancel(job.id)
    await scene().reopen()
    scene().clock.advance(LEASE_MS)
    const [lost] = await scene().lost()
    const end = failure({ failure: 'system', reason: 'worker_lost', exit: NO_EXIT })
    expect(await scene().store.endAttempts([{ lease: lost!.lease, end, log: [] }])).toMatchObject([
      { status: 'queued' },
    ])
    expect((await scene().end(job)).applied).toBe(false)
    await finish(job.id)
  })

  test('a published job that is queued again cannot be cancelled, alone or by filter', async () => {
    const job = await published()
    await scene().end(job, { type: 'release', exit: NO_EXIT })
    const before = await scene().job(job.id)
    scene().clock.advance(1000)
    expect(await scene().cancel(job.id, 0)).toEqual({ type: 'cancelling', isNew: false, job: before })
    const other = await scene().submitOne()
    const cancelMatching = () =>
      scene().store.cancelMatching({ workspace: WORKSPACE, filters: {}, reason: 'cancelled_by_user', limit: 1 })
    expect(await cancelMatching()).toEqual({ cancelled: 1, cancelling: 0 })
    expect(await cancelMatching()).toEqual({ cancelled: 0, cancelling: 0 })
    expect(await scene().status(other.id)).toBe('cancelled')
    expect(await scene().job(job.id)).toEqual(before)
    await finish(job.id)
  })

  test.each([
    ['fails', failure(), 'failed'],
    ['is put back and runs again', { type: 'release', exit: NO_EXIT }, 'queued'],
  ] as const)('a job whose publication was revoked %s like any other', async (_name, end, status) => {
    const job = await published()
    const revoke = (by: ClaimedJob) => scene().store.revokePublication({ workspace: by.workspace, lease: leaseOf(by) })
    for (const other of [
      { ...job, attempt: 2 },
      { ...job, leaseToken: 'token' },
      { ...job, id: 'unknown' },
      { ...job, workspace: 'other' },
    ])
      expect(await revoke(other)).toBe('lost')
    expect(await get(job.id)).not.toBeNull()
    expect(await revoke(job)).toBe('revoked')
    expect(await get(job.id)).toBeNull()
    expect(await list()).toEqual([])
    expect(await scene().end(job, end)).toMatchObject({ applied: true, status })
    expect(await revoke(job)).toBe('lost')
    if (status === 'queued') expect(await scene().cancel(job.id)).toMatchObject({ type: 'cancelled' })
  })

  test('a cancelling job whose publication was revoked is cancelled and publishes nothing more', async () => {
    const job = await published()
    await scene().cancel(job.id)
    await scene().store.revokePublication({ workspace: WORKSPACE, lease: leaseOf(job) })
    expect(await commit(job)).toBe('cancelling')
    expect(await scene().end(job, { type: 'cancel', exit: NO_EXIT })).toMatchObject({ status: 'cancelled' })
    expect(await list()).toEqual([])
  })

  test('a published job keeps its exclusive key until it has completed', async () => {
    const job = await published()
    const waiting = await scene().submitOne({ exclusiveKey: 'table', priority: 9 })
    await scene().cancel(job.id)
    await scene().end(job, { type: 'cancel', exit: NO_EXIT })
    await scene().cancel(job.id)
    expect(await scene().status(waiting.id)).toBe('pending')
    await finish(job.id)
    expect(await scene().status(waiting.id)).toBe('queued')
  })

  test('published jobs and others can end in one batch', async () => {
    const jobs = [await published({ exclusiveKey: 'a' }), await start({ exclusiveKey: 'b' }), await scene().start()]
    await scene().submit([newJob(), newJob(), newJob(), newJob()])
    jobs.push(...(await scene().claim()))
    const results = await scene().store.endAttempts(
      jobs.map((job, index) => ({ lease: leaseOf(job), end: index < 3 ? failure() : COMPLETE, log: [] })),
    )
    expect(results.map(({ status }) => status)).toEqual(['queued', 'failed', 'failed', ...Array(4).fill('completed')])
    await finish(jobs[0]!.id)
  })

  test('invariant 4: cancel and commit at once: the job has published or is cancelling, never neither nor both', async () => {
    for (let round = 0; round < 20; round++) {
      const job = await start()
      const [outcome, committed] = await Promise.all([scene().cancel(job.id), commit(job)])
      expect(outcome.type).toBe('cancelling')
      expect(committed).not.toBe('lost')
      expect((await get(job.id)) !== null).toBe(committed === 'committed')
      const { status } = await scene().end(job)
      expect(status).toBe(committed === 'committed' ? 'completed' : 'cancelled')
    }
  })

  test('invariant 4: a failure and commit at once: the job has published and goes on, or it failed', async () => {
    for (let round = 0; round < 20; round++) {
      const job = await start()
      const [result, committed] = await Promise.all([scene().end(job, failure()), commit(job)])
      expect(result.applied).toBe(true)
      expect(committed).toBe(result.status === 'failed' ? 'lost' : 'committed')
      expect(await scene().status(job.id)).toBe(result.status)
      if (committed === 'committed') await finish(job.id)
      else expect(await get(job.id)).toBeNull()
    }
  })

  test('the oldest publication of a workspace comes first, without those of other workspaces', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    const jobs = [await published({ exclusiveKey: 'a' }), await published({ exclusiveKey: 'b', workspace: 'other' })]
    scene().clock.advance(-1000)
    jobs.push(await published({ exclusiveKey: 'c' }))
    expect((await list()).map(({ jobId }) => jobId)).toEqual([jobs[0]!.id, jobs[2]!.id])
    expect((await list('other')).map(({ jobId }) => jobId)).toEqual([jobs[1]!.id])
    expect(await get(jobs[1]!.id)).toBeNull()
  })

  test('publications of ended jobs are deleted, oldest first, the others are kept', async () => {
    const jobs: ClaimedJob[] = []
    for (const exclusiveKey of ['a', 'b', 'c', 'd']) jobs.push(await published({ exclusiveKey }))
    for (const job of [jobs[3]!, jobs[0]!, jobs[2]!]) await scene().end(job)
    const left = async () => (await list()).map(({ jobId }) => jobs.findIndex(({ id }) => id === jobId))
    const purge = (limit: number) => scene().store.purgePublications({ limit })
    expect(await purge(2)).toBe(2)
    expect(await left()).toEqual([1, 3])
    expect(await purge(2)).toBe(1)
    await scene().end(jobs[1]!, failure())
    expect(await purge(2)).toBe(0)
    expect(await left()).toEqual([1])
    await finish(jobs[1]!.id)
    expect(await purge(2)).toBe(1)
    expect(await left()).toEqual([])
  })

  test('purging a job purges its publication', async () => {
    const jobs = [await published({ exclusiveKey: 'a' }), await published({ exclusiveKey: 'b' })]
    for (const job of jobs) await scene().end(job)
    await scene().store.purgeJob({ workspace: WORKSPACE, jobId: jobs[0]!.id })
    expect(await list()).toMatchObject([{ jobId: jobs[1]!.id }])
    scene().clock.advance(1)
    await scene().store.purgeEndedJobs({ endedBefore: scene().clock.now(), limit: 10 })
    expect(await list()).toEqual([])
  })
}
