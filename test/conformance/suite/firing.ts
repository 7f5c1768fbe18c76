import { expect, test } from 'vitest'
import { newId } from '../../../src/kernel/ids.ts'
import type { Overlap } from '../../../src/model/workflow.ts'
import type { AreaTests } from '../store-suite.ts'
import { WORKSPACE } from './scene.ts'
import { newRun, nextAt, WorkflowScene } from './workflow-scene.ts'

const MINUTE = 60_000

export const firingTests: AreaTests = scene => {
  const steps = new WorkflowScene(scene)
  const now = () => scene().clock.now()
  const due = (limit = 10) => scene().store.listDueWorkflows({ limit })

  test('due workflows are listed earliest first, and when the next one is due', async () => {
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

  test('when nothing waits there is no next time', async () => {
    expect(await due()).toEqual({ due: [], now: now(), nextFireInMs: null })
  })

  test('paused workflows are due, terminated ones never', async () => {
    const [paused, terminated] = [await steps.createDue(), await steps.createDue()]
    await scene().store.pauseWorkflow({ workspace: WORKSPACE, workflow: paused.id })
    await scene().store.terminateWorkflow({ workspace: WORKSPACE, workflow: terminated.id, graceMs: null })
    expect((await due()).due).toMatchObject([{ id: paused.id, state: 'paused' }])
  })

  test('a fire makes the run and its jobs, records the slot and moves the cursor', async () => {
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

  test('invariant 8: of several fires of one slot one makes a run', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const fires = await Promise.all(Array.from({ length: 6 }, () => steps.fireOf(workflow, slot)))
    const results = (await Promise.all(fires.map(fire => scene().store.fireWorkflows([fire])))).flat()
    expect(results.filter(result => result.type === 'fired')).toHaveLength(1)
    expect(results.filter(result => result.type === 'lost')).toHaveLength(5)
    expect(await steps.slots(workflow)).toHaveLength(1)
    expect(await scene().listIds()).toHaveLength(1)
  })

  test('a fire is lost when the workflow was changed, terminated, deleted or is another workspace’s', async () => {
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

  test('one that lost does not undo the others of its batch, and results come in order', async () => {
    const workflows = await Promise.all(Array.from({ length: 5 }, () => steps.createDue()))
    const fires = await Promise.all(workflows.map(workflow => steps.fireOf(workflow, now())))
    const batch = fires.map((fire, index) => (index === 2 ? { ...fire, cursor: 1 } : fire))
    const results = await scene().store.fireWorkflows(batch)
    expect(results.map(result => result.type)).toEqual(['fired', 'fired', 'lost', 'fired', 'fired'])
    expect(results[4]).toEqual({ type: 'fired', runId: fires[4]!.run!.id })
    expect(await scene().claim()).toHaveLength(4)
  })

  test('slots that were missed are recorded, neighbours with one reason in one row', async () => {
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

  test('with nothing to fire the cursor moves all the same', async () => {
    const workflow = await steps.createDue()
    const skipped = [{ first: now(), last: now(), count: 1, reason: 'missed' as const }]
    expect(await steps.fire(workflow, null, { skipped })).toEqual({ type: 'skipped', reason: null })
    expect(await steps.workflow(workflow.id)).toMatchObject({ nextRunAt: now() + MINUTE, lastRunAt: null })
  })

  test('slots of a paused workflow are recorded as paused, whatever else would be said of them', async () => {
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

  test('slots are listed newest first, page by page; of an unknown workflow there are none', async () => {
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

  test('beyond the jobs that may wait a slot is skipped', async () => {
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

  test('a run that waits starts only when no earlier run of its workflow is left', async () => {
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

  test('a run that waits does not start while its workflow is paused', async () => {
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

  test('overlap `cancel_previous`: where nothing of the open run works, the slot runs at once', async () => {
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

  test('overlap `cancel_previous`: of the slots that come while the open run stops the latest runs, the others are skipped', async () => {
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
    expect(await slotSums()).toEqual({ fired: 2, skipped: 2 })
    expect(await scene().claim()).toEqual([])
    await scene().end(held, CANCELLED)
    expect((await scene().claim()).map(job => job.runId)).toEqual([latest])
    expect(await steps.workflow(workflow.id)).toMatchObject({ consecutiveFailures: 0 })
  })

  /** Of all workflows and hours. */
  const slotSums = async () => {
    const hours = await scene().store.readAnalytics({ workspace: WORKSPACE, from: 0, to: now() + 60 * MINUTE })
    return {
      fired: hours.reduce((sum, hour) => sum + hour.slotsFired, 0),
      skipped: hours.reduce((sum, hour) => sum + hour.slotsSkipped, 0),
    }
  }

  test('overlap `cancel_previous`: the run that waits starts when the worker of the old one is found dead, also after a restart', async () => {
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

  test('a run that waits does not wait for those that were made after it', async () => {
    const { workflow, held, second } = await fireTwice('queue_one')
    const manual = await steps.start(workflow)
    await scene().end(held)
    expect(await steps.run((second as { runId: string }).runId)).toMatchObject({ status: 'running' })
    expect(await steps.run(manual)).toMatchObject({ status: 'running' })
  })

  test('a slot that has been dealt with does not fire again when the schedule is set back', async () => {
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
    expect(await slotSums()).toEqual({ fired: 1, skipped: 0 })
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

  test('a run triggered for later does not stand in the way of slots before it', async () => {
    const slot = now()
    const workflow = await steps.createDue(slot)
    const later = newRun(workflow, 1, { trigger: 'manual' })
    await steps.trigger(workflow, later, { scheduledAt: slot + 10 * MINUTE })
    expect(await steps.fire(workflow, slot)).toMatchObject({ type: 'fired' })
  })

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

  test('a manual run for later waits until then, and starts once', async () => {
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

  test('a trigger is refused when the workflow is paused, changed, unknown, or too much waits', async () => {
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

  test('the answer to a trigger is kept with it', async () => {
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
    // Their jobs are still there: only the slots go.
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
