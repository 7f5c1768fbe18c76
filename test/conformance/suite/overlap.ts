import { expect, test } from 'vitest'
import type { Overlap } from '../../../src/model/workflow.ts'
import type { AreaTests } from '../store-suite.ts'
import { WORKSPACE } from './scene.ts'
import { newRun, nextAt, WorkflowScene } from './workflow-scene.ts'

const MINUTE = 60_000

export const overlapTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()

  const fireTwice = async (overlap: Overlap) => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const first = await steps.fired(workflow, slot, { overlap })
    const held = await scene().claimOne()
    const second = await steps.fire(workflow, slot + MINUTE, { overlap })
    return { workflow, slot, first, held, second }
  }

  test('overlap `skip`: a slot that comes while a run is open is skipped', async () => {
    const { workflow, slot, held, second } = await fireTwice('skip')
    expect(second).toEqual({ type: 'skipped', reason: 'overlap' })
    await scene().end(held)
    expect(await steps.fire(workflow, slot + 2 * MINUTE)).toMatchObject({ type: 'fired' })
  })

  test('overlap `allow`: runs go side by side', async () => {
    const { second } = await fireTwice('allow')
    expect(second.type).toBe('fired')
    expect(await scene().claim()).toHaveLength(1)
  })

  test('overlap `queue_one`: one run waits for the end of the one before it, further slots are skipped', async () => {
    const { workflow, slot, held, second } = await fireTwice('queue_one')
    expect(second.type).toBe('waiting')
    const waiting = (second as { runId: string }).runId
    expect(await steps.run(waiting)).toMatchObject({
      status: 'pending',
      statusReason: 'waiting_for_run',
      startedAt: null,
    })
    expect(await scene().listIds({ runId: waiting, status: ['pending'] })).toHaveLength(1)
    expect(await scene().claim()).toEqual([])
    expect(await steps.fire(workflow, slot + 2 * MINUTE, { overlap: 'queue_one' })).toEqual({
      type: 'skipped',
      reason: 'overlap',
    })
    expect(await scene().store.startDueRuns({ limit: 10 })).toEqual({ started: 0, nextDueAt: null })
    scene().clock.advance(5)
    await scene().end(held)
    expect(await steps.run(waiting)).toMatchObject({ status: 'running', statusReason: null, startedAt: now() })
    expect((await scene().claim()).map(job => job.runId)).toEqual([waiting])
    expect(await steps.workflow(workflow.id)).toMatchObject({ lastRunAt: now() })
  })

  test('a waiting run starts only when no earlier run of its workflow is open', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    await steps.fired(workflow, slot)
    const first = await scene().claimOne()
    await steps.start(workflow)
    const second = await scene().claimOne()
    const waiting = await steps.fired(workflow, slot + MINUTE, { overlap: 'queue_one' })
    await scene().end(first)
    expect(await steps.run(waiting)).toMatchObject({ status: 'pending', statusReason: 'waiting_for_run' })
    await scene().end(second)
    expect(await steps.run(waiting)).toMatchObject({ status: 'running' })
  })

  test('a waiting run does not start while its workflow is paused', async () => {
    const { workflow, held, second } = await fireTwice('queue_one')
    const waiting = (second as { runId: string }).runId
    const key = { workspace: WORKSPACE, workflow: workflow.id }
    await scene().store.pauseWorkflow(key)
    await scene().end(held)
    expect(await steps.run(waiting)).toMatchObject({ status: 'paused' })
    await scene().store.resumeWorkflow({ ...key, timing: nextAt(now()) })
    expect(await steps.run(waiting)).toMatchObject({ status: 'running' })
    expect((await scene().claim()).map(job => job.runId)).toEqual([waiting])
  })

  const CANCELLED = { type: 'cancel', exit: { exitCode: null, signal: null } } as const

  test('overlap `cancel_previous`: the open run is terminated, and the slot runs once that has ended', async () => {
    const { workflow, first, held, second } = await fireTwice('cancel_previous')
    expect(second.type).toBe('waiting')
    const waiting = (second as { runId: string }).runId
    expect(await scene().job(held.id)).toMatchObject({ status: 'cancelling', statusReason: 'run_terminated' })
    expect(await steps.run(first)).toMatchObject({ status: 'running', statusReason: 'terminating' })
    expect(await steps.run(waiting)).toMatchObject({ status: 'pending', statusReason: 'waiting_for_run' })
    expect(await scene().claim()).toEqual([])
    scene().clock.advance(5)
    await scene().end(held, CANCELLED)
    expect(await steps.run(first)).toMatchObject({ status: 'terminated', statusReason: 'replaced' })
    expect(await steps.run(waiting)).toMatchObject({ status: 'running', statusReason: null, startedAt: now() })
    expect((await scene().claim()).map(job => job.runId)).toEqual([waiting])
    expect(await steps.workflow(workflow.id)).toMatchObject({ lastRunAt: now() })
    expect(await steps.slots(workflow)).toMatchObject([
      { outcome: 'fired', runId: waiting },
      { outcome: 'fired', runId: first },
    ])
  })

  test('overlap `cancel_previous`: the slot runs at once if nothing of the open run is running', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const first = await steps.fired(workflow, slot, { overlap: 'cancel_previous' })
    const second = await steps.fire(workflow, slot + MINUTE, { overlap: 'cancel_previous' })
    expect(second.type).toBe('fired')
    expect(await steps.run(first)).toMatchObject({ status: 'terminated', statusReason: 'replaced' })
    const { runId } = second as { runId: string }
    expect(await steps.run(runId)).toMatchObject({ status: 'running', startedAt: now() })
    expect((await scene().claim()).map(job => job.runId)).toEqual([runId])
  })

  test('overlap `cancel_previous`: of several slots that come while the open run stops, only the latest runs', async () => {
    const { workflow, slot, first, held, second } = await fireTwice('cancel_previous')
    const replaced = (second as { runId: string }).runId
    const runs = [replaced]
    for (const minutes of [2, 3])
      runs.push(await steps.fired(workflow, slot + minutes * MINUTE, { overlap: 'cancel_previous' }))
    const latest = runs.at(-1)!
    for (const runId of runs.slice(0, 2))
      expect(await steps.run(runId)).toMatchObject({
        status: 'terminated',
        statusReason: 'replaced',
        startedAt: null,
        counts: { cancelled: 1 },
      })
    expect(await steps.slots(workflow)).toMatchObject([
      { slot: slot + 3 * MINUTE, outcome: 'fired', runId: latest },
      { slot: slot + 2 * MINUTE, count: 1, outcome: 'skipped', reason: 'overlap', runId: null },
      { slot: slot + MINUTE, count: 1, outcome: 'skipped', reason: 'overlap', runId: null },
      { slot, outcome: 'fired', runId: first },
    ])
    expect(await steps.slotSums()).toEqual({ fired: 2, skipped: 2 })
    expect(await scene().claim()).toEqual([])
    await scene().end(held, CANCELLED)
    expect((await scene().claim()).map(job => job.runId)).toEqual([latest])
    expect(await steps.workflow(workflow.id)).toMatchObject({ consecutiveFailures: 0 })
  })

  test('overlap `cancel_previous`: the waiting run starts when the worker of the old one is found dead, even after a restart', async () => {
    const { held, second } = await fireTwice('cancel_previous')
    const waiting = (second as { runId: string }).runId
    await scene().reopen()
    scene().clock.advance(60_000)
    expect((await scene().lost()).map(({ lease }) => lease.jobId)).toEqual([held.id])
    expect(await steps.run(waiting)).toMatchObject({ status: 'pending' })
    await scene().end(held, CANCELLED)
    expect(await steps.run(waiting)).toMatchObject({ status: 'running' })
  })

  test('overlap `cancel_previous`: several schedulers that fire slots while the old run ends leave one run', async () => {
    const { workflow, slot, first, held } = await fireTwice('cancel_previous')
    const fires = await Promise.all(
      Array.from({ length: 4 }, () => steps.fireOf(workflow, slot + 2 * MINUTE, { overlap: 'cancel_previous' })),
    )
    const ending = scene().end(held, CANCELLED)
    const results = (await Promise.all(fires.map(fire => scene().store.fireWorkflows([fire])))).flat()
    await ending
    expect(results.filter(({ type }) => type === 'lost')).toHaveLength(3)
    const { runs } = await scene().store.listRuns({
      workspace: WORKSPACE,
      filters: { workflowId: workflow.id, status: ['pending', 'running'] },
      limit: 10,
      cursor: null,
    })
    const [winner] = results.flatMap(result => ('runId' in result ? result.runId : []))
    expect(runs.map(run => [run.id, run.status])).toEqual([[winner, 'running']])
    expect(await steps.run(first)).toMatchObject({ status: 'terminated' })
    expect((await scene().claim()).map(job => job.runId)).toEqual([winner])
  })

  test('overlap `cancel_previous`: a run that was triggered for later is left alone', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const later = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: slot + 10 * MINUTE })
    await steps.fired(workflow, slot, { overlap: 'cancel_previous' })
    await steps.fired(workflow, slot + MINUTE, { overlap: 'cancel_previous' })
    expect(await steps.run(later.id)).toMatchObject({ status: 'pending', statusReason: 'scheduled' })
  })

  test('a waiting run does not wait for later runs', async () => {
    const { workflow, held, second } = await fireTwice('queue_one')
    const manual = await steps.start(workflow)
    await scene().end(held)
    expect(await steps.run((second as { runId: string }).runId)).toMatchObject({ status: 'running' })
    expect(await steps.run(manual)).toMatchObject({ status: 'running' })
  })

  test('manual runs ignore overlap but count as open', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    await steps.start(workflow)
    await steps.start(workflow)
    expect(await steps.fire(workflow, slot)).toEqual({ type: 'skipped', reason: 'overlap' })
    await steps.workOff()
    expect(await steps.fire(workflow, slot + MINUTE)).toMatchObject({ type: 'fired' })
  })

  test('a run triggered for later does not block slots before it', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const later = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: slot + 10 * MINUTE })
    expect(await steps.fire(workflow, slot)).toMatchObject({ type: 'fired' })
  })
}
