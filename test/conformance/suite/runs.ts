import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { RunStatus } from '../../../src/model/workflow.ts'
import type { AreaTests } from '../store-suite.ts'
import { COMPLETE, failure, NO_EXIT, newJob, retryIn, WORKSPACE } from './scene.ts'
import { NO_SCHEDULE, newRun, WorkflowScene } from './workflow-scene.ts'

export const runTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const pause = (runId: string, workspace = WORKSPACE) => scene().store.pauseRun({ workspace, runId })
  const resume = (runId: string, workspace = WORKSPACE) => scene().store.resumeRun({ workspace, runId })
  const terminate = (runId: string, graceMs: number | null = null, workspace = WORKSPACE) =>
    scene().store.terminateRun({ workspace, runId, graceMs })
  const listed = async (filters: object = {}, limit = 100) => {
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const page = await scene().store.listRuns({ workspace: WORKSPACE, filters, limit, cursor })
      for (const run of page.runs) expect(run.snapshot).toBe('')
      ids.push(...page.runs.map(run => run.id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(await scene().store.countRuns({ workspace: WORKSPACE, filters })).toBe(ids.length)
    return ids
  }
  const changesOf = (runId: string) =>
    steps
      .events()
      .filter(event => event.runId === runId)
      .map(event => event.status)

  test('a run is completed when every item is', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, 3)
    scene().clock.advance(100)
    await steps.workOff()
    expect(await steps.run(runId)).toMatchObject({
      status: 'completed',
      statusReason: null,
      startedAt: now() - 100,
      finishedAt: now(),
      counts: { pending: 0, queued: 0, running: 0, completed: 3, failed: 0, cancelled: 0 },
    })
  })

  test('a run is failed when any item failed for good, and not before all have ended', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, 3)
    const [first, second, third] = await scene().claim()
    await scene().end(first!, failure())
    await scene().end(second!, COMPLETE)
    expect(await steps.run(runId)).toMatchObject({ status: 'running', counts: { failed: 1, completed: 1, running: 1 } })
    await scene().cancel(third!.id)
    await scene().end(third!, COMPLETE)
    expect(await steps.run(runId)).toMatchObject({
      status: 'failed',
      statusReason: 'items_failed',
      counts: { completed: 1, failed: 1, cancelled: 1 },
    })
  })

  test('a run whose items were all cancelled one by one is terminated, and completed if one completed', async () => {
    const workflow = await steps.create()
    const all = newRun(workflow, 2, { trigger: 'manual' })
    const some = newRun(workflow, 2, { trigger: 'manual' })
    for (const run of [all, some]) await steps.trigger(workflow, run)
    for (const item of [...all.items, some.items[0]!]) await scene().cancel(item.id)
    expect(await steps.run(all.id)).toMatchObject({ status: 'terminated', statusReason: 'items_cancelled' })
    await steps.workOff()
    expect(await steps.run(some.id)).toMatchObject({ status: 'completed', counts: { completed: 1, cancelled: 1 } })
  })

  test('cancelling by filter ends runs as well', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, 12)
    let cancelled = 0
    for (let calls = 0; calls < 10; calls++)
      cancelled += (
        await scene().store.cancelMatching({
          workspace: WORKSPACE,
          filters: { runId },
          reason: 'cancelled_by_user',
          limit: 5,
        })
      ).cancelled
    expect(cancelled).toBe(12)
    expect(await steps.run(runId)).toMatchObject({ status: 'terminated', counts: { cancelled: 12 } })
  })

  test('runs are listed newest first, page by page, and by every filter', async () => {
    const [a, b] = [await steps.createDue(), await steps.create()]
    const fired = await steps.fired(a, now())
    await steps.workOff(failure())
    scene().clock.advance(10)
    const later = newRun(b, 1, { trigger: 'manual' })
    await steps.trigger(b, later, { scheduledAt: now() + 1000 })
    const running = await steps.start(b)
    await scene().claim()
    const pausing = await steps.start(b)
    await scene().claim()
    const paused = await steps.start(b)
    for (const runId of [pausing, paused]) await pause(runId)
    const all = [paused, pausing, running, later.id, fired]
    expect(await listed()).toEqual(all)
    expect(await listed({}, 2)).toEqual(all)
    expect(await listed({ workflowId: a.id })).toEqual([fired])
    expect(await listed({ trigger: 'automatic' })).toEqual([fired])
    expect(await listed({ createdAfter: now() - 10 })).toEqual(all.slice(0, 4))
    expect(await listed({ createdBefore: now() })).toEqual([fired])
    const expected: Record<RunStatus, string[]> = {
      pending: [later.id],
      running: [running],
      pausing: [pausing],
      paused: [paused],
      completed: [],
      failed: [fired],
      terminated: [],
    }
    for (const [status, ids] of Object.entries(expected))
      expect(await listed({ status: [status] }), status).toEqual(ids)
    expect(await listed({ status: ['failed', 'paused', 'pending'] }, 1)).toEqual([paused, later.id, fired])
    expect(await listed({ status: ['failed', 'failed'] })).toEqual([fired])
    const page = await scene().store.listRuns({ workspace: WORKSPACE, filters: {}, limit: 1, cursor: null })
    const wrong = scene().store.listRuns({
      workspace: WORKSPACE,
      filters: { workflowId: a.id },
      limit: 1,
      cursor: page.nextCursor,
    })
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('workflows and runs of another workspace do not exist', async () => {
    const runId = await steps.start(await steps.create(), 2)
    expect(await scene().store.getRun({ workspace: 'other', runId })).toBeNull()
    expect(await pause(runId, 'other')).toBe('not_found')
    expect(await resume(runId, 'other')).toBe('not_found')
    expect(await terminate(runId, null, 'other')).toBe('not_found')
    expect(await scene().store.listFailedItems({ workspace: 'other', runId })).toBeNull()
    expect((await scene().store.listRuns({ workspace: 'other', filters: {}, limit: 10, cursor: null })).runs).toEqual(
      [],
    )
    for (const unknown of [pause(newId()), resume(newId()), terminate(newId())]) expect(await unknown).toBe('not_found')
    expect(await steps.run(runId)).toMatchObject({ status: 'running' })
  })

  test('pause: no new item starts and running ones finish; resume continues', async () => {
    const runId = await steps.start(await steps.create(), 4, { maxConcurrent: 2 })
    const running = await scene().claimOne()
    expect(await pause(runId)).toMatchObject({ changed: true, run: { id: runId, status: 'pausing' } })
    expect(await pause(runId)).toMatchObject({ changed: false, run: { status: 'pausing' } })
    expect(await scene().claim()).toEqual([])
    expect(await steps.run(runId)).toMatchObject({ counts: { running: 1, queued: 0, pending: 3 } })
    expect((await scene().end(running)).applied).toBe(true)
    expect(await scene().claim()).toEqual([])
    expect(await steps.run(runId)).toMatchObject({ status: 'paused', counts: { completed: 1, pending: 3 } })
    expect(await resume(runId)).toMatchObject({ changed: true, run: { status: 'running', counts: { queued: 2 } } })
    expect(await resume(runId)).toMatchObject({ changed: false })
    await steps.workOff()
    expect(await steps.run(runId)).toMatchObject({ status: 'completed', counts: { completed: 4 } })
  })

  test('pause: queued items go back to pending and keep their place', async () => {
    const run = newRun(await steps.create(), 3, { trigger: 'manual', maxConcurrent: 2 })
    await steps.trigger({ id: run.items[0]!.workflowId!, version: 1 }, run)
    await pause(run.id)
    for (const item of run.items)
      expect(await scene().job(item.id)).toMatchObject({ status: 'pending', statusReason: 'run_paused' })
    await resume(run.id)
    expect((await scene().claim()).map(job => job.id)).toEqual(run.items.slice(0, 2).map(item => item.id))
    expect(await scene().job(run.items[2]!.id)).toMatchObject({ statusReason: 'run_concurrency' })
  })

  test('pause: an item whose attempt has a user failure fails for good', async () => {
    const runId = await steps.start(await steps.create(), 2)
    const [first, second] = await scene().claim()
    await pause(runId)
    expect(await scene().end(first!, retryIn(1000))).toEqual({ jobId: first!.id, applied: true, status: 'failed' })
    expect(await scene().job(first!.id)).toMatchObject({ statusReason: 'exit_code', userFailures: 1, exitCode: 1 })
    await scene().end(second!, failure())
    expect(await steps.run(runId)).toMatchObject({ status: 'failed', counts: { failed: 2 } })
  })

  test('pause: an item is held after a system failure, a release or the wait for a retry', async () => {
    const runId = await steps.start(await steps.create(), 3)
    const [waits, lost, released] = await scene().claim()
    await scene().end(waits!, retryIn(1000))
    await pause(runId)
    await scene().end(lost!, retryIn(500, { failure: 'system', reason: 'worker_lost' }))
    expect(await scene().job(lost!.id)).toMatchObject({ status: 'pending', statusReason: 'retry_wait' })
    expect(await scene().end(released!, { type: 'release', exit: NO_EXIT })).toMatchObject({ status: 'pending' })
    expect(await scene().job(waits!.id)).toMatchObject({ statusReason: 'retry_wait' })
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toMatchObject({ promoted: 0, nextDueAt: now() + 500 })
    scene().clock.advance(1000)
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
    for (const { id } of [waits!, lost!, released!])
      expect(await scene().job(id)).toMatchObject({ status: 'pending', statusReason: 'run_paused' })
    expect(await steps.run(runId)).toMatchObject({ status: 'paused', counts: { pending: 3 } })
    await resume(runId)
    expect(await scene().claim()).toHaveLength(3)
  })

  test('pause: a paused run ends once all of its items have ended', async () => {
    const runId = await steps.start(await steps.create(), 2)
    const [running] = await scene().claim(1)
    await pause(runId)
    const [held] = await scene().listIds({ runId, status: ['pending'] })
    await scene().cancel(held!)
    await scene().end(running!)
    expect(await steps.run(runId)).toMatchObject({ status: 'completed', counts: { completed: 1, cancelled: 1 } })
    expect(await pause(runId)).toMatchObject({ changed: false, run: { status: 'completed' } })
    expect(await resume(runId)).toMatchObject({ changed: false, run: { status: 'completed' } })
    expect(await terminate(runId)).toMatchObject({ changed: false, run: { status: 'completed' } })
  })

  test('pausing a workflow pauses its open runs, resuming it resumes them, and a single run can be resumed before', async () => {
    const workflow = await steps.create()
    const [first, second] = [await steps.start(workflow), await steps.start(workflow)]
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
    expect(await listed({ status: ['paused'] })).toEqual([second, first])
    await resume(first)
    expect((await scene().claim()).map(job => job.runId)).toEqual([first])
    await scene().store.resumeWorkflow({ workspace: WORKSPACE, workflow: workflow.id, timing: NO_SCHEDULE })
    expect((await scene().claim()).map(job => job.runId)).toEqual([second])
  })

  test('a run triggered for later does not start while it is paused', async () => {
    const workflow = await steps.create()
    const run = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, run, { scheduledAt: now() + 1000 })
    expect(await pause(run.id)).toMatchObject({ changed: true, run: { status: 'paused' } })
    scene().clock.advance(1000)
    expect(await scene().store.startDueRuns({ limit: 10 })).toEqual({ started: 0, nextDueAt: null })
    expect(await resume(run.id)).toMatchObject({ run: { status: 'pending' } })
    expect(await scene().store.startDueRuns({ limit: 10 })).toMatchObject({ started: 1 })
    expect(await scene().claim()).toHaveLength(1)
  })

  test('a run that waits for another starts only when the paused workflow is resumed', async () => {
    const workflow = await steps.createDue(now())
    const slot = now()
    await steps.fired(workflow, slot, { overlap: 'queue_one' })
    const running = await scene().claimOne()
    const waiting = await steps.fired(workflow, slot + 60_000, { overlap: 'queue_one' })
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
    await scene().end(running)
    expect(await steps.run(waiting)).toMatchObject({ status: 'paused', statusReason: 'waiting_for_run' })
    await scene().store.resumeWorkflow({ workspace: WORKSPACE, workflow: workflow.id, timing: NO_SCHEDULE })
    expect(await steps.run(waiting)).toMatchObject({ status: 'running' })
    expect((await scene().claim()).map(job => job.runId)).toEqual([waiting])
  })

  test('terminate: waiting items are cancelled, running ones get their grace period, and the run ends with the last', async () => {
    const runId = await steps.start(await steps.create(), 8, { maxConcurrent: 3 })
    const [first, second] = await scene().claim(2)
    await scene().end(second!, retryIn(1000))
    const [third] = await scene().claim(1)
    expect(await terminate(runId, 2500)).toMatchObject({
      changed: true,
      run: {
        status: 'running',
        statusReason: 'terminating',
        counts: { running: 2, pending: 0, queued: 0, cancelled: 6 },
      },
    })
    expect(await terminate(runId)).toMatchObject({ changed: false, run: { statusReason: 'terminating' } })
    expect(await pause(runId)).toMatchObject({ changed: false })
    expect(await scene().job(second!.id)).toMatchObject({ status: 'cancelled', statusReason: 'run_terminated' })
    expect(await scene().store.listCancelling({ workerId: 'worker-1' })).toEqual(
      expect.arrayContaining([{ jobId: first!.id, attempt: 1, reason: 'run_terminated', graceMs: 2500 }]),
    )
    await scene().end(first!, COMPLETE)
    scene().clock.advance(10)
    await scene().end(third!, failure())
    expect(await steps.run(runId)).toMatchObject({
      status: 'terminated',
      statusReason: 'terminated_by_user',
      finishedAt: now(),
      counts: { completed: 0, failed: 0, cancelled: 8 },
    })
    expect(await terminate(runId)).toMatchObject({ changed: false, run: { status: 'terminated' } })
  })

  test('terminate: a paused run, and one that has not started, end at once', async () => {
    const workflow = await steps.create()
    const paused = await steps.start(workflow, 2)
    await pause(paused)
    const later = newRun(workflow, 2, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: now() + 1000 })
    for (const runId of [paused, later.id])
      expect(await terminate(runId)).toMatchObject({
        changed: true,
        run: { status: 'terminated', statusReason: 'terminated_by_user', counts: { cancelled: 2 } },
      })
    scene().clock.advance(1000)
    expect(await scene().store.startDueRuns({ limit: 10 })).toEqual({ started: 0, nextDueAt: null })
    expect(await scene().claim()).toEqual([])
  })

  test('terminating a workflow terminates its open runs with the given grace period', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, 2, { maxConcurrent: 1 })
    const running = await scene().claimOne()
    await scene().store.terminateWorkflow({ workspace: WORKSPACE, workflow: workflow.id, graceMs: 700 })
    const [order] = await scene().store.listCancelling({ workerId: 'worker-1' })
    expect(order).toMatchObject({ jobId: running.id, graceMs: 700 })
    await scene().end(running, { type: 'cancel', exit: NO_EXIT })
    expect(await steps.run(runId)).toMatchObject({ status: 'terminated', statusReason: 'workflow_terminated' })
  })

  test('a change of the workflow leaves open runs as they are, and later runs have its new version', async () => {
    const workflow = await steps.create()
    const before = await steps.start(workflow, 1, { snapshot: '{"version":"old"}' })
    const { id: _, timing: __, ...body } = { ...workflow, secrets: null, timing: null }
    await scene().store.replaceWorkflow({ ...body, workflow: workflow.id, expectedVersion: 1, timing: null })
    const after = await steps.start({ ...workflow, version: 2 }, 1, { snapshot: '{"version":"new"}' })
    expect(await steps.run(before)).toMatchObject({ workflowVersion: 1, snapshot: '{"version":"old"}' })
    expect(await steps.run(after)).toMatchObject({ workflowVersion: 2, snapshot: '{"version":"new"}' })
    const old = { snapshot: '{"version":"old"}', workflowVersion: 1, retryOf: before }
    const again = await steps.start({ ...workflow, version: 2 }, 1, old)
    expect(await steps.run(again)).toMatchObject(old)
  })

  test('failed items are returned as they were submitted, in order', async () => {
    const secrets = Uint8Array.of(5)
    const sinks = [{ index: 1, onFailure: true }]
    const run = newRun(await steps.create(), [{ secrets, sinks }, {}, { labels: { a: 'b' } }], { trigger: 'manual' })
    await steps.trigger({ id: run.items[0]!.workflowId!, version: 1 }, run)
    const [first, second, third] = await scene().claim()
    await scene().end(third!, failure())
    await scene().end(second!, COMPLETE)
    await scene().end(first!, failure())
    const found = await scene().store.listFailedItems({ workspace: WORKSPACE, runId: run.id })
    expect(found!.run).toMatchObject({ id: run.id, status: 'failed' })
    expect(found!.items.map(item => ({ ...item, secrets: item.secrets && [...item.secrets] }))).toEqual(
      [run.items[0]!, run.items[2]!].map(item => ({ ...item, secrets: item.secrets && [...item.secrets] })),
    )
    expect(await scene().store.listFailedItems({ workspace: WORKSPACE, runId: newId() })).toBeNull()
  })

  test('every change of a run sends an event, in order', async () => {
    const workflow = await steps.create()
    const run = newRun(workflow, 2, { trigger: 'manual' })
    await steps.trigger(workflow, run, { scheduledAt: now() + 1000 })
    scene().clock.advance(1000)
    await scene().store.startDueRuns({ limit: 1 })
    const [first] = await scene().claim(1)
    await pause(run.id)
    await scene().end(first!)
    await resume(run.id)
    await steps.workOff()
    const expected = ['pending', 'running', 'pausing', 'paused', 'running', 'completed']
    await scene().eventually(() => changesOf(run.id).length >= expected.length)
    expect(changesOf(run.id)).toEqual(expected)
    expect(steps.events().at(-1)).toEqual({
      runId: run.id,
      workflowId: workflow.id,
      workspace: WORKSPACE,
      status: 'completed',
      statusReason: null,
      timestamp: now(),
    })
  })

  test('counts stay when ended items are purged while the run is open', async () => {
    const runId = await steps.start(await steps.create(), 3)
    const [first, second, third] = await scene().claim()
    await scene().end(first!)
    await scene().end(second!, failure())
    await scene().store.purgeEndedJobs({ endedBefore: now() + 1, limit: 10 })
    expect(await steps.run(runId)).toMatchObject({ counts: { completed: 1, failed: 1, running: 1, pending: 0 } })
    await scene().end(third!)
    expect(await steps.run(runId)).toMatchObject({ status: 'failed', counts: { completed: 2, failed: 1 } })
  })

  test('a job submitted with the id of a run is no item of it', async () => {
    const runId = await steps.start(await steps.create())
    await scene().submit([newJob({ runId })])
    const jobs = await scene().claim()
    expect(jobs).toHaveLength(2)
    await scene().end(jobs[0]!)
    expect(await steps.run(runId)).toMatchObject({ status: 'completed', counts: { completed: 1 } })
    expect((await scene().end(jobs[1]!)).applied).toBe(true)
    expect(await steps.run(runId)).toMatchObject({ counts: { completed: 1 } })
  })
}
