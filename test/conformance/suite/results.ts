import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AttemptEnd, NewResult } from '../../../src/model/outcome.ts'
import type { AreaTests } from '../store-suite.ts'
import { leaseOf, logPart, newJobs, WORKSPACE } from './scene.ts'

const SHA256 = 'ab'.repeat(32)

const inline = (text: string, keptMs: number | null = 1000): NewResult => ({
  format: 'json',
  bytes: text.length,
  sha256: SHA256,
  keptMs,
  content: { data: Buffer.from(text) },
})
const stored = (blobKey: string, keptMs: number | null = 1000): NewResult => ({
  ...inline('', keptMs),
  format: 'parquet',
  bytes: 1e9,
  content: { blobKey },
})

export const resultTests: AreaTests = scene => {
  const now = () => scene().clock.now()
  const result = (jobId: string, workspace = WORKSPACE) => scene().store.getResult({ workspace, jobId })
  const ending = (kept: NewResult | null): AttemptEnd => ({
    type: 'complete',
    exit: { exitCode: null, signal: null },
    statistics: null,
    result: kept,
  })
  const finished = (kept: NewResult | null, log: Parameters<ReturnType<typeof scene>['finished']>[2] = []) =>
    scene().finished({}, ending(kept), log)

  test('a small result is stored with its job, a large one by its key', async () => {
    const small = await finished(inline('{"a":1}'))
    const found = await result(small.id)
    if (typeof found === 'string' || !('data' in found.content)) throw new Error('no inline result')
    expect(Buffer.from(found.content.data).toString()).toBe('{"a":1}')
    expect(found).toMatchObject({ format: 'json', bytes: 7, sha256: SHA256, expiresAt: now() + 1000 })
    const large = await finished(stored('results/1', null))
    expect(await result(large.id)).toEqual({
      format: 'parquet',
      bytes: 1e9,
      sha256: SHA256,
      storedAt: now(),
      expiresAt: null,
      content: { blobKey: 'results/1' },
    })
    expect((await scene().job(large.id)).finishedAt).toBe(now())
    expect(await scene().store.filterKnownBlobs({ keys: ['results/1', 'results/2'] })).toEqual(['results/1'])
  })

  test('every read of a job describes its result, without the content', async () => {
    const { id } = await finished(inline('[]'))
    const expected = { format: 'json', bytes: 2, sha256: SHA256, expiresAt: now() + 1000, isExpired: false }
    expect((await scene().job(id)).result).toEqual(expected)
    const page = await scene().store.listJobs({ workspace: WORKSPACE, filters: {}, limit: 10, cursor: null })
    expect(page.jobs[0]!.result).toEqual(expected)
    expect((await scene().job((await finished(null)).id)).result).toBeNull()
  })

  test('each job of a batch has its own result', async () => {
    await scene().submit(newJobs(8))
    const jobs = await scene().claim()
    await scene().store.endAttempts(
      jobs.map((job, index) => ({
        lease: leaseOf(job),
        end: ending(index % 2 ? inline(`"${index}"`) : null),
        log: [],
      })),
    )
    for (const [index, job] of jobs.entries()) {
      const found = await result(job.id)
      if (index % 2 === 0) expect(found).toBe('none')
      else if (typeof found !== 'string' && 'data' in found.content)
        expect(Buffer.from(found.content.data).toString()).toBe(`"${index}"`)
      else throw new Error(`no result of ${index}`)
    }
  })

  test('a result that is not there yet, does not exist, or belongs to no job is reported as such', async () => {
    const running = await scene().start()
    expect(await result(running.id)).toBe('not_finished')
    expect(await result((await finished(null)).id)).toBe('none')
    expect(await result(newId())).toBe('not_found')
    const { id } = await finished(inline('1'))
    expect(await result(id, 'other')).toBe('not_found')
  })

  test('a result expires, and the job still describes it', async () => {
    const kept = await finished(inline('1', null))
    const small = await finished(inline('22'), [logPart(1, 1)])
    const large = await finished(stored('results/1'))
    const purge = (limit = 10) => scene().store.purgeResults({ limit })
    scene().clock.advance(999)
    expect(await purge()).toBe(0)
    scene().clock.advance(1)
    expect(await result(small.id)).toBe('expired')
    expect([await purge(1), await purge(1), await purge(1)]).toEqual([1, 1, 0])
    expect(await result(small.id)).toBe('expired')
    expect(await result(large.id)).toBe('expired')
    expect(await result(kept.id)).toMatchObject({ bytes: 1 })
    expect((await scene().job(small.id)).result).toMatchObject({ bytes: 2, sha256: SHA256, isExpired: true })
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['results/1'])
    expect(await scene().store.filterKnownBlobs({ keys: ['results/1'] })).toEqual([])
  })

  test('the result of a job that was cancelled meanwhile is dropped and its blob doomed', async () => {
    const job = await scene().start()
    await scene().cancel(job.id)
    expect(await scene().end(job, ending(stored('results/1')))).toMatchObject({ applied: true, status: 'cancelled' })
    expect(await result(job.id)).toBe('none')
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['results/1'])
  })

  test('a refused end leaves the existing result', async () => {
    const job = await finished(stored('results/1'))
    expect((await scene().end(job, ending(stored('results/2')))).applied).toBe(false)
    expect(await result(job.id)).toMatchObject({ content: { blobKey: 'results/1' } })
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual([])
  })

  test('a purged job takes its result along', async () => {
    const large = await finished(stored('results/1'))
    const small = await finished(inline('1'))
    for (const { id } of [large, small])
      expect(await scene().store.purgeJob({ workspace: WORKSPACE, jobId: id })).toBe('purged')
    expect(await result(large.id)).toBe('not_found')
    expect((await scene().store.listDoomedBlobs({ limit: 10 })).keys).toEqual(['results/1'])
    scene().clock.advance(2000)
    expect(await scene().store.purgeResults({ limit: 10 })).toBe(0)
  })
}
