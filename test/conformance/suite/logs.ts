import { expect, test } from 'vitest'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, leaseOf, logPart, NO_EXIT, WORKSPACE } from './scene.ts'

export const logTests: AreaTests = scene => {
  const parts = async (jobId: string, fromSeq = 1, limit = 100) => {
    const index = await scene().store.listLogParts({ workspace: WORKSPACE, jobId, fromSeq, limit })
    return index!.parts.map(part => [part.firstSeq, part.lastSeq, part.blobKey ?? Buffer.from(part.data!).toString()])
  }

  test('parts are read in order from the one with the first requested line', async () => {
    const job = await scene().start()
    const add = (...ranges: [number, number][]) =>
      scene().store.addLogParts({ lease: leaseOf(job), parts: ranges.map(range => logPart(...range)) })
    expect(await add([1, 10])).toEqual({ applied: true })
    expect(await add([11, 11], [12, 20])).toEqual({ applied: true })
    const all = [
      [1, 10, 'lines 1 to 10'],
      [11, 11, 'lines 11 to 11'],
      [12, 20, 'lines 12 to 20'],
    ]
    expect(await parts(job.id)).toEqual(all)
    expect(await parts(job.id, 10)).toEqual(all)
    expect(await parts(job.id, 11)).toEqual(all.slice(1))
    expect(await parts(job.id, 15)).toEqual(all.slice(2))
    expect(await parts(job.id, 21)).toEqual([])
    expect(await parts(job.id, 1, 2)).toEqual(all.slice(0, 2))
  })

  test('a part reads back as it was stored', async () => {
    const job = await scene().start()
    const inline = logPart(1, 2, { firstAt: 5, lastAt: 9, bytes: 123, data: Uint8Array.of(0, 255, 10) })
    const sealed = logPart(3, 9, { firstAt: 10, lastAt: 11, bytes: 2 ** 33, blobKey: 'segment-1' })
    await scene().store.addLogParts({ lease: leaseOf(job), parts: [inline, sealed] })
    const index = await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 10 })
    expect(index).toMatchObject({ status: 'running', attempt: 1, purged: false })
    expect(index!.parts.map(part => ({ ...part, data: part.data && [...part.data] }))).toEqual([
      { ...inline, data: [0, 255, 10] },
      sealed,
    ])
  })

  test('sealing replaces the inline tail by a segment, without a gap', async () => {
    const job = await scene().start()
    const lease = leaseOf(job)
    await scene().store.addLogParts({ lease, parts: [logPart(1, 5, { blobKey: 'first' })] })
    await scene().store.addLogParts({ lease, parts: [logPart(6, 7), logPart(8, 9)] })
    await scene().store.addLogParts({ lease, parts: [logPart(6, 12, { blobKey: 'second' })], replacesFrom: 6 })
    expect(await parts(job.id)).toEqual([
      [1, 5, 'first'],
      [6, 12, 'second'],
    ])
  })

  test('of two parts that begin with the same line the longer one is kept', async () => {
    const job = await scene().start()
    await scene().store.addLogParts({
      lease: leaseOf(job),
      parts: [logPart(1, 4), logPart(5, 9, { blobKey: 'segment' })],
    })
    const again = [logPart(1, 4), logPart(5, 7), logPart(10, 10)]
    const result = await scene().end(job, COMPLETE, again)
    expect(result.applied).toBe(true)
    expect(await parts(job.id)).toEqual([
      [1, 4, 'lines 1 to 4'],
      [5, 9, 'segment'],
      [10, 10, 'lines 10 to 10'],
    ])
  })

  test('the next attempt continues the line numbers', async () => {
    const job = await scene().start()
    await scene().store.addLogParts({ lease: leaseOf(job), parts: [logPart(1, 4)] })
    await scene().end(job, { type: 'release', exit: NO_EXIT }, [logPart(5, 7)])
    const second = await scene().claimOne()
    expect(second.nextLogSeq).toBe(8)
    await scene().end(second, COMPLETE, [logPart(8, 9, { attempt: 2 })])
    const index = await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 10 })
    expect(index).toMatchObject({ status: 'completed', attempt: 2 })
    expect(index!.parts.map(part => [part.firstSeq, part.attempt])).toEqual([
      [1, 1],
      [5, 1],
      [8, 2],
    ])
  })

  test('a lost attempt is listed with the next seq of its log', async () => {
    const job = await scene().start()
    await scene().store.addLogParts({ lease: leaseOf(job), parts: [logPart(1, 41)] })
    expect(await scene().lost(['worker-1'])).toMatchObject([{ nextLogSeq: 42 }])
  })

  test('log parts are written only with the lease', async () => {
    const job = await scene().start()
    const wrong = { ...leaseOf(job), leaseToken: 'lost' }
    expect(await scene().store.addLogParts({ lease: wrong, parts: [logPart(1, 1)] })).toEqual({ applied: false })
    await scene().cancel(job.id)
    expect(await scene().store.addLogParts({ lease: leaseOf(job), parts: [logPart(1, 1)] })).toEqual({ applied: true })
    await scene().end(job)
    expect(await scene().store.addLogParts({ lease: leaseOf(job), parts: [logPart(2, 2)] })).toEqual({ applied: false })
    expect(await parts(job.id)).toHaveLength(1)
  })

  test('a job without a log has no parts; an unknown job has no index', async () => {
    const job = await scene().submitOne()
    expect(await scene().store.listLogParts({ workspace: WORKSPACE, jobId: job.id, fromSeq: 1, limit: 5 })).toEqual({
      status: 'queued',
      attempt: 0,
      parts: [],
      purged: false,
    })
    expect(
      await scene().store.listLogParts({ workspace: WORKSPACE, jobId: 'unknown', fromSeq: 1, limit: 5 }),
    ).toBeNull()
  })
}
