import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { NewJob } from '../../../src/model/job.ts'
import type { ClaimedDelivery, DeliveryEnd } from '../../../src/store/sink-store.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, NO_EXIT, newJobs, retryIn, WORKSPACE } from './scene.ts'
import { newRun, WorkflowScene } from './workflow-scene.ts'

const CLAIM_MS = 30_000
const BOTH = [
  { index: 0, onFailure: true },
  { index: 1, onFailure: false },
] as const

export const deliveryTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const claim = async (limit = 100) => (await scene().store.claimDeliveries({ limit, leaseMs: CLAIM_MS })).claimed
  const list = async (filters: object = {}, workspace = WORKSPACE) => {
    const page = await scene().store.listDeliveries({ workspace, filters, limit: 100, cursor: null })
    expect(await scene().store.countDeliveries({ workspace, filters })).toBe(page.deliveries.length)
    return page.deliveries
  }
  const finished = (overrides: Partial<NewJob> = {}, end = COMPLETE) =>
    scene().finished({ sinks: [{ index: 0, onFailure: true }], ...overrides }, end)
  const end = (claimed: ClaimedDelivery, outcome: DeliveryEnd['outcome'], rest: Partial<DeliveryEnd> = {}) =>
    scene().store.endDeliveries([
      {
        deliveryId: claimed.delivery.id,
        claimToken: claimed.claimToken,
        lastStatus: null,
        lastError: null,
        outcome,
        ...rest,
      },
    ])

  test('the end of a job creates a delivery for each sink that wants it', async () => {
    const completed = await finished({ sinks: BOTH })
    const failed = await finished({ sinks: BOTH, kind: 'http' }, failure())
    expect((await list({ jobId: completed.id })).map(delivery => delivery.sinkIndex).sort()).toEqual([0, 1])
    expect(await list({ jobId: failed.id })).toEqual([
      {
        id: expect.any(String),
        workspace: WORKSPACE,
        jobId: failed.id,
        runId: null,
        workflowId: null,
        kind: 'http',
        sinkIndex: 0,
        status: 'pending',
        tries: 0,
        createdAt: now(),
        nextTryAt: now(),
        lastTryAt: null,
        deliveredAt: null,
        lastStatus: null,
        lastError: null,
      },
    ])
  })

  test('no delivery is created for a job that was cancelled, will be retried, or has no sinks', async () => {
    await scene().finished()
    const waiting = await scene().start({ sinks: BOTH })
    await scene().end(waiting, retryIn(1000))
    const queued = await scene().submitOne({ sinks: BOTH })
    await scene().cancel(queued.id)
    const running = await scene().start({ sinks: BOTH })
    await scene().cancel(running.id)
    await scene().end(running, COMPLETE)
    const released = await scene().start({ sinks: BOTH })
    await scene().end(released, { type: 'release', exit: NO_EXIT })
    expect(await list()).toEqual([])
  })

  test('a refused or repeated end creates no delivery', async () => {
    const job = await finished()
    expect((await scene().end(job)).applied).toBe(false)
    expect(await list()).toHaveLength(1)
  })

  test('the delivery of an item names its run and workflow', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, [{ sinks: BOTH }, {}])
    await steps.workOff()
    expect(await list({ runId })).toHaveLength(2)
    expect(await list({ workflowId: workflow.id })).toMatchObject([{ runId }, { runId, workflowId: workflow.id }])
    expect(await list({ runId: newId() })).toEqual([])
    expect(await list({}, 'other')).toEqual([])
  })

  test('a claim returns the job with its sealed secrets, and nobody else gets it meanwhile', async () => {
    const secrets = Uint8Array.of(7, 8)
    const job = await finished({ secrets, spec: '{"command":"true","sinks":[]}' })
    const [claimed] = await claim()
    expect(claimed).toMatchObject({
      delivery: { jobId: job.id, tries: 1, lastTryAt: now(), status: 'pending' },
      job: { id: job.id, status: 'completed', spec: '{"command":"true","sinks":[]}' },
      firstTryAt: now(),
    })
    expect([...claimed!.secrets!]).toEqual([7, 8])
    expect(await scene().store.claimDeliveries({ limit: 10, leaseMs: CLAIM_MS })).toEqual({
      claimed: [],
      nextDueInMs: CLAIM_MS,
    })
  })

  test('without pending deliveries there is no next due time', async () => {
    expect(await scene().store.claimDeliveries({ limit: 2, leaseMs: 1 })).toEqual({ claimed: [], nextDueInMs: null })
    await finished()
    await end((await claim(1))[0]!, { type: 'delivered' })
    expect(await scene().store.claimDeliveries({ limit: 2, leaseMs: 1 })).toEqual({ claimed: [], nextDueInMs: null })
  })

  test('the oldest due are claimed first, at most `limit`, with the next due time', async () => {
    const ids: string[] = []
    for (let index = 0; index < 3; index++) {
      ids.push((await finished()).id)
      scene().clock.advance(1)
    }
    expect((await claim(2)).map(claimed => claimed.job.id)).toEqual(ids.slice(0, 2))
    const rest = await claim(2)
    expect(rest.map(claimed => claimed.job.id)).toEqual(ids.slice(2))
    await end(rest[0]!, { type: 'retry', delayMs: 1000 })
    expect(await scene().store.claimDeliveries({ limit: 2, leaseMs: 1 })).toEqual({ claimed: [], nextDueInMs: 1000 })
  })

  test('claims at once never share a delivery and leave none', async () => {
    const ids: string[] = []
    for (let index = 0; index < 30; index++) ids.push((await finished()).id)
    const drain = async () => {
      const seen: string[] = []
      for (let claimed = await claim(4); claimed.length > 0; claimed = await claim(4))
        seen.push(...claimed.map(({ job }) => job.id))
      return seen
    }
    const seen = (await Promise.all([drain(), drain(), drain()])).flat()
    expect(seen.sort()).toEqual(ids.sort())
  })

  test('a claim that has expired can be claimed again, and its end is then ignored', async () => {
    await finished()
    const [first] = await claim()
    scene().clock.advance(CLAIM_MS)
    const [second] = await claim()
    expect(second).toMatchObject({
      delivery: { id: first!.delivery.id, tries: 2 },
      firstTryAt: first!.firstTryAt,
    })
    await end(first!, { type: 'delivered' })
    expect(await list({ status: ['pending'] })).toHaveLength(1)
    await end(second!, { type: 'delivered' }, { lastStatus: 204 })
    expect(await list({ status: ['delivered'] })).toMatchObject([
      { deliveredAt: now(), nextTryAt: null, lastStatus: 204, tries: 2 },
    ])
  })

  test('a failed try is repeated after its delay under the same id', async () => {
    await finished()
    const [first] = await claim()
    scene().clock.advance(100)
    await end(first!, { type: 'retry', delayMs: 5000 }, { lastStatus: 500, lastError: 'status 500' })
    expect(await list()).toMatchObject([
      { status: 'pending', nextTryAt: now() + 5000, lastStatus: 500, lastError: 'status 500', tries: 1 },
    ])
    expect(await claim()).toEqual([])
    scene().clock.advance(5000)
    const [second] = await claim()
    expect(second!.delivery.id).toBe(first!.delivery.id)
    expect(second!.firstTryAt).toBe(first!.firstTryAt)
  })

  test('a delivery that was given up makes a notification, a delivered one stays as it is', async () => {
    const given = await finished()
    const [claimed] = await claim()
    await end(claimed!, { type: 'failed' }, { lastStatus: 503, lastError: 'status 503' })
    await finished()
    const [gone] = await claim()
    await end(gone!, { type: 'stopped' }, { lastStatus: 410 })
    expect((await list()).map(delivery => delivery.status)).toEqual(['stopped', 'failed'])
    const page = { workspace: WORKSPACE, unreadOnly: true, limit: 10, cursor: null }
    const { notifications } = await scene().store.listNotifications(page)
    expect(notifications).toMatchObject([{ type: 'delivery.failed' }, { type: 'delivery.failed', jobId: given.id }])
    await end(claimed!, { type: 'retry', delayMs: 0 })
    expect((await list())[1]).toMatchObject({ status: 'failed', nextTryAt: null })
  })

  test('redeliver makes a delivery due now, with the same id and another day', async () => {
    await finished()
    const [claimed] = await claim()
    const { id: deliveryId } = claimed!.delivery
    const redeliver = (workspace = WORKSPACE) => scene().store.redeliver({ workspace, deliveryId })
    expect(await redeliver()).toBe('pending')
    await end(claimed!, { type: 'delivered' }, { lastStatus: 200 })
    scene().clock.advance(24 * 3_600_000)
    expect(await redeliver('other')).toBe('not_found')
    expect(await redeliver()).toBe('redelivered')
    expect(await redeliver()).toBe('pending')
    const delivery = await scene().store.getDelivery({ workspace: WORKSPACE, deliveryId })
    expect(delivery).toMatchObject({ status: 'pending', nextTryAt: now(), deliveredAt: null, tries: 1 })
    const [again] = await claim()
    expect(again).toMatchObject({ delivery: { id: deliveryId, tries: 2 }, firstTryAt: now() })
    expect(await scene().store.redeliver({ workspace: WORKSPACE, deliveryId: newId() })).toBe('not_found')
  })

  test('deliveries are listed newest first, page by page, by status, job, workflow and run', async () => {
    const jobs = [await finished(), await finished(), await finished()]
    const [first] = await claim(1)
    await end(first!, { type: 'delivered' })
    const key = { workspace: WORKSPACE, limit: 2, filters: {} }
    const page = await scene().store.listDeliveries({ ...key, cursor: null })
    const rest = await scene().store.listDeliveries({ ...key, cursor: page.nextCursor })
    const shown = [...page.deliveries, ...rest.deliveries]
    expect(shown.map(delivery => delivery.jobId)).toEqual(jobs.map(job => job.id).reverse())
    expect(rest.nextCursor).toBeNull()
    expect((await list({ status: ['delivered'] })).map(delivery => delivery.id)).toEqual([first!.delivery.id])
    expect(await list({ status: ['pending'] })).toHaveLength(2)
    expect(await list({ status: ['pending', 'pending'] })).toHaveLength(2)
    expect(await list({ status: ['pending', 'delivered'], jobId: jobs[0]!.id })).toHaveLength(1)
    const get = (deliveryId: string, workspace = WORKSPACE) => scene().store.getDelivery({ workspace, deliveryId })
    expect(await get(shown[0]!.id)).toEqual(shown[0])
    expect(await get(shown[0]!.id, 'other')).toBeNull()
    expect(await get(newId())).toBeNull()
    const wrong = scene().store.listDeliveries({ ...key, workspace: 'other', cursor: page.nextCursor })
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('`delivery` signals that something is to be delivered', async () => {
    const heard = () => scene().signals.some(signal => signal.type === 'delivery')
    await scene().finished()
    expect(heard()).toBe(false)
    await finished()
    await scene().eventually(heard)
    const [claimed] = await claim()
    await end(claimed!, { type: 'delivered' })
    scene().signals.splice(0)
    await scene().store.redeliver({ workspace: WORKSPACE, deliveryId: claimed!.delivery.id })
    await scene().eventually(heard)
  })

  test('old deliveries are purged, pending ones never, and a purged job takes its own along', async () => {
    const [first, second] = [await finished(), await finished()]
    for (const claimed of await claim()) await end(claimed, { type: 'delivered' })
    const pending = await finished()
    scene().clock.advance(1)
    const purge = (limit: number) => scene().store.purgeDeliveries({ createdBefore: now(), limit })
    expect(await purge(1)).toBe(1)
    expect((await list()).map(delivery => delivery.jobId)).toEqual([pending.id, second.id])
    expect(await purge(10)).toBe(1)
    expect(await purge(10)).toBe(0)
    const purgeJob = (jobId: string) => scene().store.purgeJob({ workspace: WORKSPACE, jobId })
    expect(await purgeJob(first.id)).toBe('purged')
    expect(await purgeJob(pending.id)).toBe('delivery_pending')
    expect((await list()).map(delivery => delivery.jobId)).toEqual([pending.id])
    for (const claimed of await claim()) await end(claimed, { type: 'failed' })
    expect(await purgeJob(pending.id)).toBe('purged')
    expect(await list()).toEqual([])
  })

  /** All batches of one retention run. Returns how many each purged. */
  const retain = async (limit: number) => {
    const purged: number[] = []
    let cursor: string | null = null
    do {
      const batch = await scene().store.purgeEndedJobs({ endedBefore: now(), limit, cursor })
      purged.push(batch.purged)
      cursor = batch.cursor
    } while (cursor !== null)
    return purged
  }

  test('retention skips a job while its delivery is pending, claimed or sent again, and continues with the next jobs', async () => {
    const told = await finished()
    const [delivered] = await claim()
    await end(delivered!, { type: 'delivered' })
    const waiting = await finished({ sinks: BOTH })
    const [claimed] = await claim(1)
    await end(claimed!, { type: 'delivered' })
    const others = [await scene().finished(), await scene().finished(), await scene().finished()]
    await scene().store.redeliver({ workspace: WORKSPACE, deliveryId: delivered!.delivery.id })
    scene().clock.advance(1)
    expect(await retain(2)).toEqual([0, 2, 1])
    expect(await scene().listIds()).toEqual([waiting.id, told.id])
    for (const { id } of others) expect(await scene().store.getJob({ workspace: WORKSPACE, jobId: id })).toBeNull()
    for (const one of await claim())
      await end(one, one.job.id === told.id ? { type: 'failed' } : { type: 'retry', delayMs: 0 })
    expect(await retain(10)).toEqual([1])
    for (const one of await claim()) await end(one, { type: 'stopped' })
    expect(await retain(10)).toEqual([1])
    expect(await scene().listIds()).toEqual([])
    expect(await list()).toEqual([])
  })

  test('many jobs that ended at one instant are purged in batches, except those with pending deliveries', async () => {
    const pending = [await finished(), await finished(), await finished()]
    await scene().submit(newJobs(20))
    for (const job of await scene().claim()) await scene().end(job)
    scene().clock.advance(1)
    const purged = await retain(4)
    expect(purged.length).toBeLessThanOrEqual(6)
    expect(purged.reduce((sum, count) => sum + count, 0)).toBe(20)
    expect((await scene().listIds()).sort()).toEqual(pending.map(({ id }) => id).sort())
  })

  test('a delivery that is sent again while its job is purged is sent, or gone with the job', async () => {
    for (let round = 0; round < 10; round++) {
      await finished()
      const [claimed] = await claim()
      await end(claimed!, { type: 'delivered' })
      scene().clock.advance(1)
      const { id, jobId } = claimed!.delivery
      const [again] = await Promise.all([
        scene().store.redeliver({ workspace: WORKSPACE, deliveryId: id }),
        scene().store.purgeEndedJobs({ endedBefore: now(), limit: 10 }),
      ])
      const isThere = (await scene().store.getJob({ workspace: WORKSPACE, jobId })) !== null
      expect({ again, isThere }).toEqual({ again: isThere ? 'redelivered' : 'not_found', isThere })
      expect((await list({ jobId })).length).toBe(isThere ? 1 : 0)
      for (const one of await claim()) await end(one, { type: 'delivered' })
    }
  })

  test('items that fail in a paused run are delivered as failed once', async () => {
    const workflow = await steps.create()
    const run = newRun(workflow, [{ sinks: BOTH }], { trigger: 'manual' })
    await steps.trigger(workflow, run)
    const job = await scene().claimOne()
    await scene().store.pauseRun({ workspace: WORKSPACE, runId: run.id })
    await scene().end(job, retryIn(0, { statistics: { http_status: 502 } }))
    expect(await list()).toMatchObject([{ sinkIndex: 0, runId: run.id }])
    expect(await scene().job(job.id)).toMatchObject({ status: 'failed', statistics: { http_status: 502 } })
  })
}
