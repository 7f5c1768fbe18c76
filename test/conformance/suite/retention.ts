import { expect, test } from 'vitest'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, logPart, newJobs, retryIn, WORKSPACE } from './scene.ts'

export const retentionTests: AreaTests = scene => {
  const purge = (jobId: string, workspace = WORKSPACE) => scene().store.purgeJob({ workspace, jobId })

  test('a purged job is gone with everything it left', async () => {
    const job = await scene().start({ labels: { a: 'b' }, name: 'x', runId: 'run-1' })
    await scene().end(job, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 1 })
    await scene().end(await scene().claimOne(), COMPLETE, [logPart(1, 2)])
    expect(await purge(job.id)).toBe('purged')
    expect(await scene().store.getJob({ workspace: WORKSPACE, jobId: job.id })).toBeNull()
    expect(await scene().store.getSubmission({ workspace: WORKSPACE, jobId: job.id })).toBeNull()
    expect(await scene().store.listAttempts({ workspace: WORKSPACE, jobId: job.id })).toBeNull()
    expect(await scene().store.listArtifacts({ workspace: WORKSPACE, jobId: job.id })).toBeNull()
    expect(await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 1 })).toBeNull()
    for (const filters of [
      {},
      { labels: [{ key: 'a', value: 'b' }] },
      { name: 'x' },
      { runId: 'run-1' },
      { status: ['completed' as const] },
    ])
      expect(await scene().listIds(filters)).toEqual([])
    expect(await purge(job.id)).toBe('not_found')
  })

  test('only ended jobs are purged', async () => {
    const running = await scene().start()
    const queued = await scene().submitOne()
    for (const job of [running, queued]) expect(await purge(job.id)).toBe('not_ended')
    expect(await purge('unknown')).toBe('not_found')
    expect((await scene().end(running)).applied).toBe(true)
    expect(await purge(running.id, 'other')).toBe('not_found')
  })

  test('jobs that ended before a time are purged in batches, live ones never', async () => {
    await scene().submit(newJobs(6))
    const claimed = await scene().claim(5)
    for (const job of claimed) {
      await scene().end(job)
      scene().clock.advance(1000)
    }
    const endedBefore = scene().clock.now() - 2000
    const purgeEnded = (limit: number) => scene().store.purgeEndedJobs({ endedBefore, limit })
    expect(await purgeEnded(2)).toEqual({ purged: 2, cursor: expect.any(String) })
    expect(await purgeEnded(2)).toEqual({ purged: 1, cursor: null })
    expect(await purgeEnded(2)).toEqual({ purged: 0, cursor: null })
    expect(await scene().listIds()).toHaveLength(3)
    expect(await scene().store.purgeEndedJobs({ endedBefore: scene().clock.now() + 1e9, limit: 100 })).toEqual({
      purged: 2,
      cursor: null,
    })
    expect(await scene().listIds({ status: ['queued'] })).toHaveLength(1)
  })

  test('a log is purged without its job, and the job then says so', async () => {
    const log = [logPart(1, 2), logPart(3, 9, { blobKey: 'segment' })]
    const old = await scene().finished({}, COMPLETE, log)
    const silent = await scene().finished()
    scene().clock.advance(1000)
    const fresh = await scene().finished({}, COMPLETE, [logPart(1, 1)])
    const purgeLogs = () => scene().store.purgeLogs({ endedBefore: scene().clock.now(), limit: 10 })
    expect(await purgeLogs()).toBe(1)
    expect(await purgeLogs()).toBe(0)
    const index = (jobId: string) => scene().store.listLogParts({ workspace: WORKSPACE, jobId, fromSeq: 1, limit: 10 })
    expect(await index(old.id)).toMatchObject({ parts: [], purged: true })
    expect(await index(silent.id)).toMatchObject({ parts: [], purged: false })
    expect((await index(fresh.id))?.parts).toHaveLength(1)
    expect(await scene().status(old.id)).toBe('completed')
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['segment'])
    expect(await purge(old.id)).toBe('purged')
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['segment'])
  })

  test('the limit of purgeLogs counts jobs', async () => {
    for (let index = 0; index < 3; index++) await scene().finished({}, COMPLETE, [logPart(1, 1), logPart(2, 2)])
    scene().clock.advance(1)
    const purgeLogs = () => scene().store.purgeLogs({ endedBefore: scene().clock.now(), limit: 2 })
    expect([await purgeLogs(), await purgeLogs(), await purgeLogs()]).toEqual([2, 1, 0])
  })

  test('doomed blobs are listed oldest first, at most `limit`', async () => {
    for (const key of ['a', 'b', 'c']) {
      const job = await scene().finished({}, COMPLETE, [logPart(1, 1, { blobKey: key })])
      await purge(job.id)
    }
    expect((await scene().store.listDoomedBlobs({ limit: 2 })).keys).toEqual(['a', 'b'])
    await scene().store.forgetDoomedBlobs({ keys: ['a', 'b', 'unknown'] })
    expect((await scene().store.listDoomedBlobs({ limit: 2 })).keys).toEqual(['c'])
  })

  test('doomed blobs are listed page by page, whatever is deleted or doomed between the pages', async () => {
    const doom = async (key: string) =>
      purge((await scene().finished({}, COMPLETE, [logPart(1, 1, { blobKey: key })])).id)
    for (const key of ['a', 'b', 'c', 'd']) await doom(key)
    const first = await scene().store.listDoomedBlobs({ limit: 2 })
    expect(first).toEqual({ keys: ['a', 'b'], cursor: expect.any(Number) })
    await scene().store.forgetDoomedBlobs({ keys: ['b'] })
    const { cursor, keys } = await scene().store.listDoomedBlobs({ limit: 2, cursor: first.cursor })
    expect(keys).toEqual(['c', 'd'])
    await doom('e')
    expect(await scene().store.listDoomedBlobs({ limit: 2, cursor })).toEqual({ keys: ['e'], cursor: null })
    expect((await scene().store.listDoomedBlobs({ limit: 9 })).keys).toEqual(['a', 'c', 'd', 'e'])
  })

  test('submitting continues in order after everything was purged', async () => {
    const first = await scene().finished()
    await purge(first.id)
    const jobs = newJobs(3)
    await scene().submit(jobs)
    expect(await scene().listIds()).toEqual(jobs.map(job => job.id).reverse())
  })
}
