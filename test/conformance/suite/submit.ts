import { expect, test } from 'vitest'
import type { NewJob } from '../../../src/model/job.ts'
import type { AreaTests } from '../store-suite.ts'
import { newJob, newJobs, WORKSPACE } from './scene.ts'

/** A job with every field set to something that is not the default. */
const fullJob = (): NewJob =>
  newJob({
    kind: 'import',
    name: 'nightly “export” 🌙',
    labels: { team: 'data', 'a b': '' },
    queue: 'slow',
    priority: -7,
    trigger: 'automatic',
    workflowId: 'workflow-1',
    runId: 'run-1',
    parentJobId: 'parent-1',
    rerunOf: 'earlier-1',
    exclusiveKey: 'datasource:events',
    dataSource: 'events',
    pipe: 'daily',
    timeoutMs: 1500,
    graceMs: 2500,
    retry: { maximumAttempts: 4, initialInterval: 10, backoffCoefficient: 1.5, maximumInterval: 99 },
    restartable: false,
    spec: '{"command":"printf \'é\\u0000\'"}',
    secrets: Uint8Array.of(0, 1, 255),
    scopes: ['jobs:read', 'jobs:run:import'],
  })

export const submitTests: AreaTests = scene => {
  test('a submitted job is queued and reads back as it was submitted', async () => {
    const job = fullJob()
    const [submitted] = await scene().submit([job])
    const now = scene().clock.now()
    expect(submitted).toEqual({ id: job.id, status: 'queued', createdAt: now })

    const { secrets, sinks: _, ...visible } = job
    expect(secrets).not.toBeNull()
    expect(await scene().job(job.id)).toEqual({
      ...visible,
      status: 'queued',
      statusReason: null,
      errorMessage: null,
      createdAt: now,
      queuedAt: now,
      startedAt: null,
      finishedAt: null,
      updatedAt: now,
      attempt: 0,
      userFailures: 0,
      systemFailures: 0,
      workerId: null,
      exitCode: null,
      signal: null,
      progress: null,
      statistics: null,
      result: null,
    })
  })

  test('what a rerun needs is kept, including sealed secrets, even after the end', async () => {
    const job = fullJob()
    await scene().submit([job])
    const submission = () => scene().store.getSubmission({ workspace: WORKSPACE, jobId: job.id })
    const same = (kept: NewJob | null) => {
      expect({ ...kept, secrets: null }).toEqual({ ...job, secrets: null })
      expect([...kept!.secrets!]).toEqual([0, 1, 255])
    }
    same(await submission())
    await scene().end(await scene().claimOne())
    same(await submission())
    expect(await scene().store.getSubmission({ workspace: WORKSPACE, jobId: 'unknown' })).toBeNull()
  })

  test('a job scheduled for later is pending until it is due', async () => {
    const scheduledAt = scene().clock.now() + 60_000
    const job = newJob({ scheduledAt })
    const [submitted] = await scene().submit([job])
    expect(submitted?.status).toBe('pending')
    expect(await scene().job(job.id)).toMatchObject({
      status: 'pending',
      statusReason: 'scheduled',
      queuedAt: null,
      scheduledAt,
    })
    expect(await scene().claim()).toEqual([])
  })

  test('a job scheduled for now or a little earlier is queued', async () => {
    const now = scene().clock.now()
    const submitted = await scene().submit([newJob({ scheduledAt: now }), newJob({ scheduledAt: now - 30_000 })])
    expect(submitted.map(job => job.status)).toEqual(['queued', 'queued'])
  })

  test('a batch of 10,000 jobs is one submit, in the order given', async () => {
    const jobs = newJobs(10_000)
    const submitted = await scene().submit(jobs)
    expect(submitted.map(job => job.id)).toEqual(jobs.map(job => job.id))
    expect(await scene().store.countJobs({ workspace: WORKSPACE, filters: {} })).toBe(10_000)
    const first = await scene().claim(3)
    expect(first.map(job => job.id)).toEqual(jobs.slice(0, 3).map(job => job.id))
  })

  test('a batch is all or nothing', async () => {
    const existing = await scene().submitOne()
    const jobs = [newJob(), newJob({ id: existing.id }), newJob()]
    await expect(scene().submit(jobs)).rejects.toThrow()
    expect(await scene().listIds()).toEqual([existing.id])
  })

  test('a refused submit does not undo those in the same commit', async () => {
    const existing = await scene().submitOne()
    const single = (id?: string) => scene().submit([newJob(id ? { id } : {})])
    const outcomes = await Promise.allSettled([single(), single(existing.id), single(), single(existing.id), single()])
    expect(outcomes.map(outcome => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(await scene().listIds()).toHaveLength(4)
  })

  test('an empty batch is no error', async () => {
    expect(await scene().submit([])).toEqual([])
  })

  test('a workspace takes no more than maxQueued waiting jobs', async () => {
    const submit = (count: number) => scene().store.submitJobs({ jobs: newJobs(count), maxQueued: 5 })
    expect((await submit(4)).type).toBe('submitted')
    expect(await submit(2)).toEqual({ type: 'too_many_queued', queued: 4 })
    expect((await submit(1)).type).toBe('submitted')
    expect((await submit(1)).type).toBe('too_many_queued')
    expect(await scene().listIds()).toHaveLength(5)
  })

  test('running jobs do not count as waiting, pending ones do, and each end or cancel makes room', async () => {
    const submit = async (overrides: Partial<NewJob> = {}) =>
      (await scene().store.submitJobs({ jobs: [newJob(overrides)], maxQueued: 2 })).type
    expect(await submit()).toBe('submitted')
    expect(await submit({ scheduledAt: scene().clock.now() + 3_600_000 })).toBe('submitted')
    expect(await submit()).toBe('too_many_queued')
    const running = await scene().claimOne()
    expect(await submit()).toBe('submitted')
    expect(await submit()).toBe('too_many_queued')
    await scene().end(running)
    expect(await submit()).toBe('too_many_queued')
    const [waiting] = await scene().listIds({ status: ['queued'] })
    await scene().cancel(waiting!)
    expect(await submit()).toBe('submitted')
  })

  test('one workspace at its limit does not hold up another', async () => {
    await scene().store.createWorkspace({ id: 'other', name: 'other' })
    await scene().store.submitJobs({ jobs: newJobs(3), maxQueued: 3 })
    const outcome = await scene().store.submitJobs({ jobs: newJobs(3, { workspace: 'other' }), maxQueued: 3 })
    expect(outcome.type).toBe('submitted')
  })

  test('invariant 1: everything acknowledged survives reopening', async () => {
    const queued = await scene().submitOne()
    const done = await scene().finished({ priority: 100 })
    const running = await scene().start({ priority: 99 })
    await scene().reopen()
    expect(await scene().status(queued.id)).toBe('queued')
    expect(await scene().status(done.id)).toBe('completed')
    expect((await scene().end(running)).applied).toBe(true)
    expect(await scene().status(running.id)).toBe('completed')
  })
}
