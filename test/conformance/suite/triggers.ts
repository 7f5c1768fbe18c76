import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AreaTests } from '../store-suite.ts'
import { WORKSPACE } from './scene.ts'
import { newRun, nextAt, WorkflowScene } from './workflow-scene.ts'

export const triggerTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()

  test('a manual run starts at once and leaves the schedule alone', async () => {
    const workflow = await steps.create({ timing: nextAt(now() + 1000) })
    const run = newRun(workflow, 2, { trigger: 'manual', retryOf: newId() })
    expect(await steps.trigger(workflow, run)).toEqual({ type: 'triggered', runId: run.id, status: 'running' })
    expect(await steps.run(run.id)).toMatchObject({
      trigger: 'manual',
      status: 'running',
      scheduledAt: null,
      retryOf: run.retryOf,
    })
    expect(await steps.workflow(workflow.id)).toMatchObject({ nextRunAt: now() + 1000, lastRunAt: now() })
    expect(await steps.slots(workflow)).toEqual([])
    expect(await scene().claim()).toHaveLength(2)
  })

  test('a manual run for later waits until then and starts once', async () => {
    const workflow = await steps.create()
    const scheduledAt = now() + 1000
    const run = newRun(workflow, 2, { trigger: 'manual' })
    expect(await steps.trigger(workflow, run, { scheduledAt })).toMatchObject({ status: 'pending' })
    expect(await steps.run(run.id)).toMatchObject({ status: 'pending', statusReason: 'scheduled', scheduledAt })
    expect(await scene().job(run.items[0]!.id)).toMatchObject({ status: 'pending', statusReason: 'run_pending' })
    expect(await steps.workflow(workflow.id)).toMatchObject({ lastRunAt: null })
    expect(await scene().store.startDueRuns({ limit: 10 })).toEqual({ started: 0, nextDueAt: scheduledAt })
    expect(await scene().store.promoteDueJobs({ limit: 10 })).toEqual({ promoted: 0, nextDueAt: null })
    scene().clock.advance(1000)
    const starts = await Promise.all([1, 2, 3].map(() => scene().store.startDueRuns({ limit: 10 })))
    expect(starts.reduce((sum, { started }) => sum + started, 0)).toBe(1)
    expect(await steps.run(run.id)).toMatchObject({ status: 'running', statusReason: null, startedAt: now() })
    expect(await scene().claim()).toHaveLength(2)
    expect(await steps.workflow(workflow.id)).toMatchObject({ lastRunAt: now() })
  })

  test('a trigger is refused when the workflow is paused, changed or unknown, or too many jobs wait', async () => {
    const workflow = await steps.create()
    const run = () => newRun(workflow, 3, { trigger: 'manual' })
    expect(await steps.trigger({ ...workflow, version: 2 }, run())).toEqual({ type: 'changed' })
    expect(await steps.trigger({ ...workflow, id: newId() }, run())).toEqual({ type: 'not_found' })
    expect(await steps.trigger(workflow, run(), { workspace: 'other' })).toEqual({ type: 'not_found' })
    expect(await steps.trigger(workflow, run(), { maxQueued: 2 })).toEqual({ type: 'too_many_queued', queued: 0 })
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
    expect(await steps.trigger(workflow, run())).toEqual({ type: 'paused' })
    expect(await scene().listIds()).toEqual([])
    const filters = {}
    expect(await scene().store.listRuns({ workspace: WORKSPACE, filters, limit: 10, cursor: null })).toEqual({
      runs: [],
      nextCursor: null,
    })
  })

  test('a terminated workflow runs when it is triggered', async () => {
    const workflow = await steps.create()
    await scene().store.terminateWorkflow({ workspace: WORKSPACE, workflow: workflow.id, graceMs: null })
    expect(await steps.trigger(workflow, newRun(workflow, 1, { trigger: 'manual' }))).toMatchObject({
      status: 'running',
    })
  })

  test('the answer to a trigger is stored for its idempotency key', async () => {
    const workflow = await steps.create()
    const idempotency = { workspace: WORKSPACE, method: 'POST', path: '/v1/workflows/x/trigger', key: 'once' }
    await scene().store.beginIdempotent({ key: idempotency, bodyHash: 'hash' })
    const run = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, run, { idempotency })
    const again = await scene().store.beginIdempotent({ key: idempotency, bodyHash: 'hash' })
    if (again.type !== 'answered') throw new Error(again.type)
    expect(again.answer.status).toBe(201)
    expect(JSON.parse(again.answer.body)).toEqual({ run_id: run.id, status: 'running' })
  })
}
