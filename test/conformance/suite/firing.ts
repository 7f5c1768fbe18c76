import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { AreaTests } from '../store-suite.ts'
import { WORKSPACE } from './scene.ts'
import { newRun, nextAt, WorkflowScene } from './workflow-scene.ts'

const MINUTE = 60_000

export const firingTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const due = (limit = 10) => scene().store.listDueWorkflows({ limit })

  test('due workflows are listed earliest first, with the next due time', async () => {
    const late = await steps.createDue(now() - 10)
    const later = await steps.createDue(now() - 5)
    const jittered = await steps.create({ timing: nextAt(now() - 100, now() + 700) })
    await steps.create()
    expect(await due()).toEqual({
      due: [late, later].map((workflow, index) => ({
        id: workflow.id,
        workspace: WORKSPACE,
        version: 1,
        state: 'active',
        timing: nextAt(now() - [10, 5][index]!),
      })),
      now: now(),
      nextFireInMs: 700,
    })
    expect(await due(1)).toMatchObject({ due: [{ id: late.id }], nextFireInMs: expect.any(Number) })
    scene().clock.advance(700)
    expect((await due()).due.map(workflow => workflow.id)).toEqual([late.id, later.id, jittered.id])
  })

  test('without due workflows there is no next due time', async () => {
    expect(await due()).toEqual({ due: [], now: now(), nextFireInMs: null })
  })

  test('paused workflows become due, terminated ones never', async () => {
    const [paused, terminated] = [await steps.createDue(), await steps.createDue()]
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: paused.id })
    await scene().store.terminateWorkflow({ workspace: WORKSPACE, workflow: terminated.id, graceMs: null })
    expect((await due()).due).toMatchObject([{ id: paused.id, state: 'paused' }])
  })

  test('a fire creates the run and its jobs, records the slot and moves the cursor', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    scene().clock.advance(3)
    const run = newRun(workflow, 7, { maxConcurrent: 3, snapshot: '{"name":"as it was"}' })
    expect(await steps.fire(workflow, slot, { run })).toEqual({ type: 'fired', runId: run.id })
    expect(await steps.run(run.id)).toEqual({
      id: run.id,
      workspace: WORKSPACE,
      workflowId: workflow.id,
      workflowVersion: 1,
      trigger: 'automatic',
      status: 'running',
      statusReason: null,
      scheduledAt: slot,
      createdAt: now(),
      startedAt: now(),
      finishedAt: null,
      maxConcurrent: 3,
      counts: { pending: 4, queued: 3, running: 0, completed: 0, failed: 0, cancelled: 0 },
      retryOf: null,
      snapshot: '{"name":"as it was"}',
    })
    expect(await scene().listIds({ runId: run.id })).toEqual(run.items.map(item => item.id).reverse())
    expect(await scene().job(run.items[3]!.id)).toMatchObject({ status: 'pending', statusReason: 'run_concurrency' })
    expect(await steps.slots(workflow)).toEqual([
      { slot, lastSlot: slot, count: 1, outcome: 'fired', reason: null, runId: run.id, recordedAt: now() },
    ])
    expect(await steps.workflow(workflow.id)).toMatchObject({ nextRunAt: slot + MINUTE, lastRunAt: now(), version: 1 })
    expect((await due()).due).toEqual([])
  })

  test('invariant 8: of several fires of one slot one creates a run', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const fires = await Promise.all(Array.from({ length: 6 }, () => steps.fireOf(workflow, slot)))
    const results = (await Promise.all(fires.map(fire => scene().store.fireWorkflows([fire])))).flat()
    expect(results.filter(result => result.type === 'fired')).toHaveLength(1)
    expect(results.filter(result => result.type === 'lost')).toHaveLength(5)
    expect(await steps.slots(workflow)).toHaveLength(1)
    expect(await scene().listIds()).toHaveLength(1)
  })

  test('a fire is lost when the workflow was changed, terminated or deleted, or belongs to another workspace', async () => {
    const changed = await steps.createDue()
    const terminated = await steps.createDue()
    const deleted = await steps.createDue()
    const fires = await Promise.all([changed, terminated, deleted].map(workflow => steps.fireOf(workflow, now())))
    const foreign = { ...(await steps.fireOf(changed, now())), workspace: 'other' }
    const { id: _, timing: __, ...body } = { ...changed, secrets: null, timing: null }
    await scene().store.replaceWorkflow({ ...body, workflow: changed.id, expectedVersion: 1, timing: null })
    for (const { id } of [terminated, deleted])
      await scene().store.terminateWorkflow({ workspace: WORKSPACE, workflow: id, graceMs: null })
    await scene().store.deleteWorkflow({ workspace: WORKSPACE, workflow: deleted.id })
    const results = await scene().store.fireWorkflows([...fires, foreign])
    expect(results).toEqual(Array(4).fill({ type: 'lost' }))
    expect(await scene().listIds()).toEqual([])
    expect(await steps.slots(changed)).toEqual([])
  })

  test('a lost fire does not undo the others of its batch, and results come in order', async () => {
    const workflows = await Promise.all(Array.from({ length: 5 }, () => steps.createDue()))
    const fires = await Promise.all(workflows.map(workflow => steps.fireOf(workflow, now())))
    const batch = fires.map((fire, index) => (index === 2 ? { ...fire, cursor: 1 } : fire))
    const results = await scene().store.fireWorkflows(batch)
    expect(results.map(result => result.type)).toEqual(['fired', 'fired', 'lost', 'fired', 'fired'])
    expect(results[4]).toEqual({ type: 'fired', runId: fires[4]!.run!.id })
    expect(await scene().claim()).toHaveLength(4)
  })

  test('missed slots are recorded, adjacent ones with the same reason in one row', async () => {
    const first = now() - 10 * MINUTE
    const workflow = await steps.createDue(first)
    const missed = { first, last: first + 8 * MINUTE, count: 9, reason: 'missed' as const }
    const runId = await steps.fired(workflow, first + 9 * MINUTE, { skipped: [missed] })
    expect(await steps.slots(workflow)).toMatchObject([
      { slot: first + 9 * MINUTE, outcome: 'fired', runId },
      { slot: first, lastSlot: first + 8 * MINUTE, count: 9, outcome: 'skipped', reason: 'missed', runId: null },
    ])
    await steps.workOff()
    const more = (from: number) => ({ first: first + from * MINUTE, last: first + from * MINUTE, count: 1 })
    await steps.fire(workflow, null, { skipped: [{ ...more(10), reason: 'missed' }] })
    await steps.fire(workflow, null, { skipped: [{ ...more(11), reason: 'missed' }] })
    expect(await steps.fire(workflow, first + 12 * MINUTE, { run: null })).toEqual({
      type: 'skipped',
      reason: 'invalid',
    })
    expect(await steps.slots(workflow)).toMatchObject([
      { slot: first + 12 * MINUTE, count: 1, reason: 'invalid' },
      { slot: first + 10 * MINUTE, lastSlot: first + 11 * MINUTE, count: 2, reason: 'missed' },
      { outcome: 'fired' },
      { count: 9 },
    ])
  })

  test('the cursor moves even if nothing fires', async () => {
    const workflow = await steps.createDue()
    const skipped = [{ first: now(), last: now(), count: 1, reason: 'missed' as const }]
    expect(await steps.fire(workflow, null, { skipped })).toEqual({ type: 'skipped', reason: null })
    expect(await steps.workflow(workflow.id)).toMatchObject({ nextRunAt: now() + MINUTE, lastRunAt: null })
  })

  test('slots of a paused workflow are recorded as paused, even if they have another reason too', async () => {
    const first = now()
    const workflow = await steps.createDue(first)
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: workflow.id })
    const skipped = [{ first, last: first + MINUTE, count: 2, reason: 'missed' as const }]
    const result = await steps.fire(workflow, first + 2 * MINUTE, { skipped })
    expect(result).toEqual({ type: 'skipped', reason: 'paused' })
    expect(await steps.fire(workflow, first + 3 * MINUTE)).toEqual({ type: 'skipped', reason: 'paused' })
    expect(await steps.slots(workflow)).toMatchObject([
      { slot: first, lastSlot: first + 3 * MINUTE, count: 4, outcome: 'skipped', reason: 'paused' },
    ])
    expect(await scene().listIds()).toEqual([])
  })

  test('slots are listed newest first, page by page, and for an unknown workflow there are none', async () => {
    const start = now()
    const workflow = await steps.createDue(start)
    for (let index = 0; index < 5; index++) await steps.fire(workflow, start + index * MINUTE, { overlap: 'allow' })
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page = await scene().store.listSlots({ workspace: WORKSPACE, workflow: workflow.name, limit: 2, cursor })
      seen.push(...page!.slots.map(slot => (slot.slot - start) / MINUTE))
      cursor = page!.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual([4, 3, 2, 1, 0])
    const count = (workspace: string, name: string) => scene().store.countSlots({ workspace, workflow: name })
    expect(await count(WORKSPACE, workflow.name)).toBe(5)
    expect(await count(WORKSPACE, newId())).toBe(0)
    expect(await count('other', workflow.id)).toBe(0)
    const key = { workspace: WORKSPACE, limit: 1, cursor: null }
    expect(await scene().store.listSlots({ ...key, workflow: newId() })).toBeNull()
    expect(await scene().store.listSlots({ ...key, workflow: workflow.id, workspace: 'other' })).toBeNull()
    const wrong = scene().store.listSlots({ ...key, workflow: workflow.id, cursor: 'nonsense' })
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  test('a slot is skipped when too many jobs are waiting', async () => {
    const workflow = await steps.createDue()
    const run = newRun(workflow, 3)
    const result = await steps.fire(workflow, now(), { run, maxQueued: 2 })
    expect(result).toEqual({ type: 'skipped', reason: 'too_many_queued' })
    expect(await steps.slots(workflow)).toMatchObject([{ reason: 'too_many_queued', count: 1 }])
    expect(await scene().listIds()).toEqual([])
    expect(await steps.fire(workflow, now() + MINUTE, { run: newRun(workflow, 2), maxQueued: 2 })).toMatchObject({
      type: 'fired',
    })
  })

  test('a handled slot does not fire again when the schedule is set back', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const first = await steps.fired(workflow, slot)
    await steps.workOff()
    const { id: _, timing: __, ...body } = { ...workflow, secrets: null, timing: null }
    await scene().store.replaceWorkflow({
      ...body,
      workflow: workflow.id,
      expectedVersion: 1,
      timing: nextAt(slot),
    })
    expect(await steps.fire(workflow, slot)).toEqual({ type: 'skipped', reason: null })
    expect(await steps.slots(workflow)).toMatchObject([{ slot, outcome: 'fired', runId: first }])
    expect(await scene().claim()).toEqual([])
    expect(await steps.slotSums()).toEqual({ fired: 1, skipped: 0 })
  })

  test('old slots, and runs without jobs that ended long ago, are purged in batches', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    for (let index = 0; index < 3; index++) {
      await steps.fired(workflow, slot + index * MINUTE)
      await steps.workOff()
    }
    const kept = await steps.fired(workflow, slot + 3 * MINUTE)
    scene().clock.advance(MINUTE)
    const purge = (limit: number) => scene().store.purgeRuns({ endedBefore: now(), limit })
    const runs = async () => {
      const page = await scene().store.listRuns({ workspace: WORKSPACE, filters: {}, limit: 10, cursor: null })
      return page.runs.map(run => run.id)
    }
    // Their jobs still exist: only the slots are purged.
    for (let calls = 0; calls < 10 && (await purge(2)) > 0; calls++);
    expect(await steps.slots(workflow)).toEqual([])
    expect(await runs()).toHaveLength(4)
    await scene().store.purgeEndedJobs({ endedBefore: now(), limit: 100 })
    let purged = 0
    for (let calls = 0; calls < 10; calls++) purged += await purge(2)
    expect(purged).toBe(3)
    expect(await runs()).toEqual([kept])
    expect(await steps.run(kept)).toMatchObject({ snapshot: '{"payload":[]}', status: 'running' })
  })
}
