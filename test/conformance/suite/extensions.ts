import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { NewJob } from '../../../src/model/job.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, leaseOf, NO_EXIT, newJob, retryIn, WORKSPACE } from './scene.ts'
import { WorkflowScene } from './workflow-scene.ts'

export const extensionTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const started = async (items: number | readonly Partial<NewJob>[] = 1, overrides: object = {}) => {
    const workflow = await steps.create()
    return steps.start(workflow, items, overrides)
  }
  type Item = { readonly id: string; readonly runId: string | null; readonly workflowId: string | null }
  const more = (of: Item, count = 1, overrides: Partial<NewJob> = {}) =>
    Array.from({ length: count }, () => newJob({ runId: of.runId, workflowId: of.workflowId, ...overrides }))
  const extend = (
    job: Item & { readonly attempt: number },
    items: readonly NewJob[],
    overrides: Partial<Parameters<ReturnType<typeof scene>['store']['extendRun']>[0]> = {},
  ) =>
    scene().store.extendRun({
      workspace: WORKSPACE,
      jobId: job.id,
      attempt: job.attempt,
      items,
      maxItems: 10_000,
      ...overrides,
    })

  test('what an item adds joins its run when it completes, and the run goes on', async () => {
    const runId = await started()
    const job = await scene().claimOne()
    const items = more(job, 3, {
      secrets: Uint8Array.of(9),
      labels: { a: 'b' },
      sinks: [{ index: 0, onFailure: true }],
    })
    expect(await extend(job, items)).toBe('kept')
    expect(await scene().store.getJob({ workspace: WORKSPACE, jobId: items[0]!.id })).toBeNull()
    expect(await steps.run(runId)).toMatchObject({ counts: { running: 1, pending: 0 } })
    await scene().end(job)
    expect(await steps.run(runId)).toMatchObject({ status: 'running', counts: { completed: 1, queued: 3 } })
    const submission = await scene().store.getSubmission({ workspace: WORKSPACE, jobId: items[0]!.id })
    expect({ ...submission, secrets: [...submission!.secrets!] }).toEqual({ ...items[0], secrets: [9] })
    expect(await scene().listIds({ labels: [{ key: 'a', value: 'b' }] })).toHaveLength(3)
    await steps.workOff()
    expect(await steps.run(runId)).toMatchObject({ status: 'completed', counts: { completed: 4 } })
  })

  test('added items wait for slots like all others', async () => {
    const runId = await started(2, { maxConcurrent: 2 })
    const [first] = await scene().claim()
    await extend(first!, more(first!, 5))
    await scene().end(first!)
    expect(await steps.run(runId)).toMatchObject({ counts: { completed: 1, running: 1, queued: 1, pending: 4 } })
  })

  test('jobs that end in one batch each bring their added items', async () => {
    const runId = await started(6, { maxConcurrent: 6 })
    const jobs = await scene().claim()
    for (const job of jobs.slice(0, 3)) await extend(job, more(job, 2))
    await scene().store.endAttempts(jobs.map(job => ({ lease: leaseOf(job), end: COMPLETE, log: [] })))
    expect(await steps.run(runId)).toMatchObject({ status: 'running', counts: { completed: 6, queued: 6 } })
  })

  test('items join once, from the attempt that completes; those of other attempts are dropped', async () => {
    const runId = await started()
    const first = await scene().claimOne()
    await extend(first, more(first, 4))
    await scene().end(first, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 1 })
    const second = await scene().claimOne()
    await extend(second, more(second, 1))
    await extend(second, more(second, 1))
    await scene().end(second, { type: 'release', exit: NO_EXIT })
    const third = await scene().claimOne()
    await extend(third, more(third, 2))
    await scene().end(third)
    expect((await scene().end(third)).applied).toBe(false)
    expect(await steps.run(runId)).toMatchObject({ counts: { completed: 1, queued: 2, pending: 0 } })
  })

  test('items added by an item that failed or was cancelled never join', async () => {
    const runId = await started(2)
    const [failing, cancelled] = await scene().claim()
    await extend(failing!, more(failing!, 2))
    await extend(cancelled!, more(cancelled!, 2))
    await scene().end(failing!, failure())
    await scene().cancel(cancelled!.id)
    await scene().end(cancelled!, COMPLETE)
    expect(await steps.run(runId)).toMatchObject({ status: 'failed', counts: { failed: 1, cancelled: 1, pending: 0 } })
  })

  test('items that join a paused run are held', async () => {
    const runId = await started()
    const job = await scene().claimOne()
    const items = more(job, 2)
    await extend(job, items)
    await scene().store.pauseRun({ workspace: WORKSPACE, runId })
    await scene().end(job)
    expect(await steps.run(runId)).toMatchObject({ status: 'paused', counts: { completed: 1, pending: 2 } })
    expect(await scene().job(items[0]!.id)).toMatchObject({ statusReason: 'run_paused' })
    await scene().store.resumeRun({ workspace: WORKSPACE, runId })
    expect(await scene().claim()).toHaveLength(2)
  })

  test('a run never has more items than its limit, including those that wait to join', async () => {
    await started(3)
    const [first, second] = await scene().claim()
    expect(await extend(first!, more(first!, 4), { maxItems: 7 })).toBe('kept')
    expect(await extend(second!, more(second!, 1), { maxItems: 7 })).toEqual({ type: 'too_many', items: 8 })
    await scene().end(first!)
    expect(await extend(second!, more(second!, 1), { maxItems: 7 })).toEqual({ type: 'too_many', items: 8 })
    expect(await extend(second!, more(second!, 1), { maxItems: 8 })).toBe('kept')
  })

  test('only a running attempt of an item may add to its run', async () => {
    await started()
    const job = await scene().claimOne()
    const plain = await scene().start()
    const items = more(job)
    expect(await extend(plain, items)).toBe('not_in_run')
    expect(await extend(job, items, { attempt: 2 })).toBe('not_running')
    expect(await extend(job, items, { workspace: 'other' })).toBe('not_found')
    expect(await extend(job, items, { jobId: newId() })).toBe('not_found')
    await scene().end(job)
    expect(await extend(job, items)).toBe('not_running')
  })

  test('purging a job takes nothing from its run', async () => {
    const runId = await started()
    const job = await scene().claimOne()
    await extend(job, more(job, 2))
    await scene().end(job)
    await scene().store.purgeJob({ workspace: WORKSPACE, jobId: job.id })
    expect(await steps.run(runId)).toMatchObject({ counts: { completed: 1, queued: 2 } })
  })

  test('the timeout of a running attempt can be restarted repeatedly', async () => {
    const job = await scene().start()
    const key = { jobId: job.id, attempt: job.attempt }
    const restart = (overrides: object = {}) =>
      scene().store.restartTimeout({ workspace: WORKSPACE, ...key, ...overrides })
    const since = (overrides: object = {}) => scene().store.findTimeoutRestart({ ...key, ...overrides })
    expect(await since()).toBeNull()
    scene().clock.advance(500)
    expect(await restart()).toBe('restarted')
    scene().clock.advance(70)
    expect(await since()).toBe(70)
    expect(await restart()).toBe('restarted')
    expect(await since()).toBe(0)
    expect(await restart({ attempt: 2 })).toBe('not_running')
    expect(await restart({ workspace: 'other' })).toBe('not_found')
    await scene().end(job, retryIn(0))
    await scene().store.promoteDueJobs({ limit: 1 })
    await scene().claimOne()
    expect(await since({ attempt: 2 })).toBeNull()
    expect(await since()).toBeNull()
  })
}
