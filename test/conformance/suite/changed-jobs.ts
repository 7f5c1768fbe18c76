import { expect, test } from 'vitest'
import type { Job } from '../../../src/model/job.ts'
import { MOST_LISTED_BYTES } from '../../../src/store/listed-bytes.ts'
import type { AreaTests } from '../store-suite.ts'
import { failure, leaseOf, newJob, newJobs, retryIn, WORKSPACE } from './scene.ts'

export const changedJobTests: AreaTests = scene => {
  type After = { readonly updatedAt: number; readonly id: string } | null
  const list = (after: After, limit = 100, workspace = WORKSPACE) =>
    scene().store.listChangedJobs({ workspace, after, limit })
  const idsOf = (jobs: readonly { readonly id: string }[]) => jobs.map(job => job.id)
  const byChange = (jobs: readonly Job[]) =>
    jobs.toSorted((a, b) => a.updatedAt - b.updatedAt || (a.id < b.id ? -1 : 1))
  const allJobs = async () => Promise.all((await scene().listIds()).map(id => scene().job(id)))
  /** From the beginning to the last one. */
  const readAll = async (limit: number) => {
    const found: Job[] = []
    for (let after: After = null; ; after = found.at(-1)!) {
      const page = await list(after, limit)
      expect(page.length).toBeLessThanOrEqual(limit)
      if (page.length === 0) return found
      found.push(...page)
    }
  }

  test('jobs, live and ended, are listed in the order of their last change', async () => {
    const [oldest] = await scene().submit(newJobs(1, { dataSource: 'events', pipe: 'copy', sinks: [] }))
    scene().clock.advance(10)
    await scene().submit(newJobs(5))
    scene().clock.advance(10)
    const claimed = await scene().claim(4)
    scene().clock.advance(10)
    await scene().end(claimed[2]!)
    await scene().end(claimed[1]!, retryIn(1000))
    scene().clock.advance(10)
    await scene().end(claimed[0]!, failure())
    const found = await list(null)
    expect(found).toEqual(byChange(await allJobs()))
    expect(found).toHaveLength(6)
    expect(found.at(-1)).toMatchObject({ id: oldest!.id, status: 'failed', dataSource: 'events', pipe: 'copy' })
  })

  test('pages of any size continue after the last job, even among jobs that changed at the same instant', async () => {
    await scene().submit(newJobs(30))
    const claimed = await scene().claim(20)
    await scene().store.endAttempts(claimed.slice(0, 14).map(job => ({ lease: leaseOf(job), end: failure(), log: [] })))
    scene().clock.advance(1)
    await scene().end(claimed[14]!)
    const expected = byChange(await allJobs())
    for (const limit of [1, 4, 30, 100]) expect(await readAll(limit)).toEqual(expected)
  })

  test('a job that changes again is listed again, with its new state', async () => {
    const job = await scene().submitOne()
    const [seen] = await list(null)
    expect(await list(seen!)).toEqual([])
    scene().clock.advance(1)
    await scene().claimOne()
    expect(await list(seen!)).toMatchObject([{ id: job.id, status: 'running' }])
    expect(idsOf(await list({ updatedAt: scene().clock.now(), id: '' }))).toEqual([job.id])
    expect(await list({ updatedAt: scene().clock.now() + 1, id: '' })).toEqual([])
  })

  test('jobs of other workspaces and purged jobs are not listed', async () => {
    await scene().submit([newJob({ workspace: 'other' })])
    await scene().end(await scene().claimOne())
    const job = await scene().finished()
    expect(idsOf(await list(null))).toEqual([job.id])
    await scene().store.purgeJob({ workspace: WORKSPACE, jobId: job.id })
    expect(await list(null)).toEqual([])
    expect(await list(null, 100, 'other')).toHaveLength(1)
  })

  test('a page has no more bodies than fit into memory, but at least one', async () => {
    const spec = JSON.stringify({ command: 'x'.repeat(MOST_LISTED_BYTES / 3) })
    await scene().submit(newJobs(3, { spec }))
    expect(await list(null)).toHaveLength(2)
    expect(idsOf(await readAll(100))).toEqual(idsOf(byChange(await allJobs())))
  })
}
