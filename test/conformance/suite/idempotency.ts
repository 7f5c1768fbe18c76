import { expect, test } from 'vitest'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { IdempotencyKey } from '../../../src/store/store.ts'
import type { AreaTests } from '../store-suite.ts'
import { newJob, newJobs } from './scene.ts'

const DAY = 24 * 3600 * 1000
const key: IdempotencyKey = { workspace: 'default', method: 'POST', path: '/v1/jobs', key: 'abc' }

export const idempotencyTests: AreaTests = scene => {
  const begin = (bodyHash = 'hash', which = key) => scene().store.beginIdempotent({ key: which, bodyHash })
  const finish = (answer: { status: number; body: string } | null, which = key) =>
    scene().store.finishIdempotent({ key: which, answer })

  test('a new key is new, then in progress, then answered', async () => {
    expect(await begin()).toEqual({ type: 'new' })
    expect(await begin()).toEqual({ type: 'in_progress' })
    await finish({ status: 201, body: '{"job_id":"1"}' })
    expect(await begin()).toEqual({ type: 'answered', answer: { status: 201, body: '{"job_id":"1"}' } })
  })

  test('another body under the same key is a mismatch', async () => {
    await begin('one')
    await finish({ status: 422, body: '{}' })
    expect(await begin('two')).toEqual({ type: 'mismatch' })
    expect(await begin('one')).toEqual({ type: 'answered', answer: { status: 422, body: '{}' } })
  })

  test('workspace, method and path belong to the key', async () => {
    await begin()
    for (const other of [{ workspace: 'other' }, { method: 'DELETE' }, { path: '/v1/jobs/batch' }, { key: 'abd' }])
      expect(await begin('hash', { ...key, ...other })).toEqual({ type: 'new' })
  })

  test('of many first calls at once exactly one is new', async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => begin()))
    expect(outcomes.filter(outcome => outcome.type === 'new')).toHaveLength(1)
    expect(outcomes.filter(outcome => outcome.type === 'in_progress')).toHaveLength(9)
  })

  test('a forgotten key is new again', async () => {
    await begin()
    await finish(null)
    expect(await begin('another')).toEqual({ type: 'new' })
  })

  test('a submit stores its answer in its own transaction', async () => {
    await begin()
    const jobs = [newJob()]
    await scene().store.submitJobs({ jobs, maxQueued: 10, idempotency: { key, shape: 'single' } })
    const created_at = toTimestamp(scene().clock.now())
    const outcome = await begin()
    if (outcome.type !== 'answered') throw new Error(outcome.type)
    expect(outcome.answer.status).toBe(201)
    expect(JSON.parse(outcome.answer.body)).toEqual({ job_id: jobs[0]!.id, status: 'queued', created_at })
  })

  test('additional fields of the answer of a submit are stored with it', async () => {
    await begin()
    const jobs = [newJob()]
    const more = { content: { bytes: 3, sha256: `'"\\ {}, NULL` } }
    await scene().store.submitJobs({ jobs, maxQueued: 10, idempotency: { key, shape: 'single', more } })
    const outcome = await begin()
    if (outcome.type !== 'answered') throw new Error(outcome.type)
    expect(JSON.parse(outcome.answer.body)).toMatchObject({ job_id: jobs[0]!.id, ...more })
  })

  test('the answer of a batch holds every job in order', async () => {
    const batch = { ...key, path: '/v1/jobs/batch' }
    await begin('hash', batch)
    const jobs = [newJob(), newJob({ scheduledAt: scene().clock.now() + DAY })]
    await scene().store.submitJobs({ jobs, maxQueued: 10, idempotency: { key: batch, shape: 'batch' } })
    const outcome = await begin('hash', batch)
    if (outcome.type !== 'answered') throw new Error(outcome.type)
    expect(JSON.parse(outcome.answer.body)).toEqual({
      jobs: [
        { job_id: jobs[0]!.id, status: 'queued' },
        { job_id: jobs[1]!.id, status: 'pending' },
      ],
    })
  })

  test('a refused submit stores no answer', async () => {
    await begin()
    await scene().store.submitJobs({ jobs: newJobs(2), maxQueued: 1, idempotency: { key, shape: 'batch' } })
    expect(await begin()).toEqual({ type: 'in_progress' })
  })

  test('an answer is kept for 24 hours', async () => {
    await begin()
    await finish({ status: 201, body: '{}' })
    scene().clock.advance(DAY - 1000)
    expect((await begin()).type).toBe('answered')
    expect((await begin('other')).type).toBe('mismatch')
    scene().clock.advance(1000)
    expect(await begin('other')).toEqual({ type: 'new' })
  })

  test('a first call cut off by a crash blocks its key for a minute at most', async () => {
    await begin()
    await scene().reopen()
    scene().clock.advance(59_000)
    scene().clock.advance(1000)
    expect(await begin()).toEqual({ type: 'new' })
    expect(await begin()).toEqual({ type: 'in_progress' })
  })

  test('a first call that is renewed keeps its key as long as it takes', async () => {
    await begin()
    for (let minute = 0; minute < 5; minute++) {
      scene().clock.advance(59_000)
      await scene().store.renewIdempotent({ key })
    }
    scene().clock.advance(59_000)
    expect(await begin()).toEqual({ type: 'in_progress' })
    scene().clock.advance(1000)
    expect(await begin('another')).toEqual({ type: 'new' })
  })

  test('a late renewal does not change an answer and creates no key', async () => {
    await begin()
    await finish({ status: 201, body: '{}' })
    await scene().store.renewIdempotent({ key })
    scene().clock.advance(DAY - 1000)
    expect((await begin()).type).toBe('answered')
    const other = { ...key, key: 'never begun' }
    await scene().store.renewIdempotent({ key: other })
    expect(await begin('hash', other)).toEqual({ type: 'new' })
  })

  test('a clock that is set back does not make an interrupted call block for longer', async () => {
    await begin()
    scene().clock.advance(-3_600_000)
    expect(['new', 'in_progress']).toContain((await begin()).type)
    scene().clock.advance(60_000)
    expect(await begin()).toEqual({ type: 'new' })
  })

  test('the answer to a call that takes hours is stored even if old keys are purged meanwhile', async () => {
    await begin()
    scene().clock.advance(2 * 3_600_000)
    await scene().store.purgeIdempotency({ limit: 10 })
    await scene().store.submitJobs({ jobs: newJobs(1), maxQueued: 10, idempotency: { key, shape: 'single' } })
    expect((await begin()).type).toBe('answered')
  })

  test('a key whose call was never answered is purged', async () => {
    await begin()
    scene().clock.advance(2 * DAY)
    expect(await scene().store.purgeIdempotency({ limit: 10 })).toBe(1)
  })

  test('expired keys are purged in batches', async () => {
    for (let index = 0; index < 5; index++) {
      const which = { ...key, key: `key-${index}` }
      await begin('hash', which)
      await finish({ status: 201, body: '{}' }, which)
    }
    expect(await scene().store.purgeIdempotency({ limit: 10 })).toBe(0)
    scene().clock.advance(DAY)
    expect(await scene().store.purgeIdempotency({ limit: 3 })).toBe(3)
    expect(await scene().store.purgeIdempotency({ limit: 3 })).toBe(2)
    expect(await scene().store.purgeIdempotency({ limit: 3 })).toBe(0)
  })
}
