import { expect, test } from 'vitest'
import type { AreaTests } from '../store-suite.ts'
import { publicationSteps } from './publication-steps.ts'
import { failure, NO_EXIT, newJob, WORKSPACE } from './scene.ts'
import { newRun, WorkflowScene } from './workflow-scene.ts'

export const publishedItemTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const { commit, finish } = publicationSteps(scene)

  test('a published item of a terminated run completes and counts as completed; the run ends with it', async () => {
    const workflow = await steps.create()
    const run = newRun(workflow, [{ exclusiveKey: 'table' }, {}, {}], { trigger: 'manual', maxConcurrent: 2 })
    await steps.trigger(workflow, run)
    const [item, other] = await scene().claim()
    expect(await commit(item!)).toBe('committed')
    await steps.store.terminateRun({ workspace: WORKSPACE, runId: run.id, graceMs: null })
    expect(await scene().status(item!.id)).toBe('cancelling')
    await scene().end(other!, { type: 'cancel', exit: NO_EXIT })
    await scene().end(item!, { type: 'cancel', exit: NO_EXIT })
    expect(await steps.run(run.id)).toMatchObject({
      status: 'running',
      statusReason: 'terminating',
      counts: { queued: 1, cancelled: 2 },
    })
    await finish(item!.id)
    expect(await steps.run(run.id)).toMatchObject({
      status: 'terminated',
      statusReason: 'terminated_by_user',
      counts: { completed: 1, cancelled: 2, failed: 0 },
    })
  })

  test('a run that is terminated while its published item is queued again waits for it as terminating', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, [{ exclusiveKey: 'table' }, { scheduledAt: Number.MAX_SAFE_INTEGER }])
    const item = await scene().claimOne()
    await commit(item)
    await scene().end(item, { type: 'release', exit: NO_EXIT })
    await scene().claim(0)
    const outcome = await steps.store.terminateRun({ workspace: WORKSPACE, runId, graceMs: 0 })
    expect(outcome).toMatchObject({ changed: true, run: { status: 'running', statusReason: 'terminating' } })
    expect(await scene().status(item.id)).toBe('queued')
    await scene().eventually(() => steps.events().at(-1)?.statusReason === 'terminating')
    await finish(item.id)
    expect(await steps.run(runId)).toMatchObject({ status: 'terminated', counts: { completed: 1, cancelled: 1 } })
  })

  test('a published item continues in a paused run', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, [{ exclusiveKey: 'a' }, { exclusiveKey: 'b' }, {}])
    const [first, second] = await scene().claim(2)
    await commit(first!)
    await commit(second!)
    await scene().end(first!, { type: 'release', exit: NO_EXIT })
    await steps.store.pauseRun({ workspace: WORKSPACE, runId })
    expect(await scene().end(second!, failure())).toMatchObject({ status: 'queued' })
    expect(await steps.run(runId)).toMatchObject({ status: 'paused', counts: { queued: 2, pending: 1 } })
    const again = await scene().claim()
    expect(again.map(job => job.id)).toEqual([first!.id, second!.id])
    for (const job of again) await scene().end(job)
    expect(await steps.run(runId)).toMatchObject({ status: 'paused', counts: { completed: 2, pending: 1 } })
  })

  test('items added by a published item do not join a run that is being terminated', async () => {
    const workflow = await steps.create()
    const runId = await steps.start(workflow, [{ exclusiveKey: 'table' }])
    const item = await scene().claimOne()
    const items = [newJob({ runId, workflowId: workflow.id })]
    const which = { workspace: WORKSPACE, jobId: item.id, attempt: item.attempt }
    expect(await scene().store.extendRun({ ...which, items, maxItems: 10 })).toBe('kept')
    await commit(item)
    await steps.store.terminateRun({ workspace: WORKSPACE, runId, graceMs: null })
    expect(await scene().end(item)).toMatchObject({ status: 'completed' })
    expect(await steps.run(runId)).toMatchObject({ status: 'terminated', counts: { completed: 1, pending: 0 } })
  })
}
