import { afterAll, afterEach, expect, test } from 'vitest'
import { removeDataDirs, SUBMITTER } from '../harness.ts'
import { broken, codeOf, createGate, done, openScene, type Scene, statusesOf } from './scene.ts'

let scene: Scene
afterEach(() => scene.close())
afterAll(removeDataDirs)

const workspace = 'default'
const payload = [{ command: 'a' }, { command: 'b' }, { command: 'c' }]
const oneAtATime = { payload, configuration: { max_concurrent_requests: 1 } }

/** An engine whose items wait to be released, with one run of three items of which one runs. */
const openRun = async () => {
  const gate = createGate()
  scene = await openScene({ script: gate.script })
  const workflow = await scene.create(oneAtATime)
  const runId = await scene.trigger(workflow)
  await scene.untilItems(runId, jobs => jobs[0]!.status === 'running' && gate.running === 1)
  const [first] = await scene.items(runId)
  return { gate, workflow, runId, first: first!.id, run: { workspace, runId }, target: { workspace, workflow } }
}

test('a paused run starts no new item and finishes running ones, and continues when resumed', async () => {
  const { gate, runId, run, first } = await openRun()
  expect(await scene.workflows.pauseRun(run)).toMatchObject({ status: 'pausing' })
  gate.release(first)
  expect(await scene.untilRun(runId, ({ status }) => status === 'paused')).toMatchObject({
    counts: { completed: 1, pending: 2, queued: 0, running: 0 },
  })
  expect((await scene.items(runId)).slice(1)).toMatchObject([
    { statusReason: 'run_paused' },
    { statusReason: 'run_paused' },
  ])
  expect((await scene.workflows.pauseRun(run)).status).toBe('paused')
  await scene.workflows.resumeRun(run)
  for (const index of [1, 2]) {
    const items = await scene.untilItems(runId, jobs => jobs[index]!.status === 'running' && gate.running === 1)
    gate.release(items[index]!.id)
  }
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed', counts: { completed: 3 } })
  expect(await codeOf(scene.workflows.pauseRun(run))).toBe('run_ended')
  expect(await codeOf(scene.workflows.resumeRun(run))).toBe('run_ended')
})

test('an item whose attempt fails during a pause has failed for good', async () => {
  const { gate, runId, run, first } = await openRun()
  await scene.workflows.pauseRun(run)
  gate.release(first, broken)
  await scene.untilRun(runId, ({ status }) => status === 'paused')
  expect(await scene.items(runId)).toMatchObject([{ status: 'failed', attempt: 1, statusReason: 'exit_code' }, {}, {}])
})

test('an item with a system failure during a pause is held, and retried when the run is resumed', async () => {
  const { gate, runId, run, first } = await openRun()
  await scene.workflows.pauseRun(run)
  gate.release(first, { type: 'failed', failure: 'system', reason: 'connection_failed', message: 'gone' })
  const { counts } = await scene.untilRun(runId, ({ status }) => status === 'paused')
  expect(counts).toMatchObject({ pending: 3, failed: 0 })
  await scene.workflows.resumeRun(run)
  for (let ended = 1; ended <= 3; ended++) {
    await scene.untilRun(runId, ({ counts: now }) => now.running === 1 && gate.running === 1)
    gate.releaseAll()
    await scene.untilRun(runId, ({ counts: now }) => now.completed === ended)
  }
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed' })
})

test('an item that waits for a retry when the run is paused is held, and retried when the run is resumed', async () => {
  let tries = 0
  scene = await openScene({ script: async () => (++tries === 1 ? broken : done) })
  const retry = { maximum_attempts: 2, initial_interval: '2s' }
  const runId = await scene.trigger(await scene.create({ payload: [{ command: 'a', retry }] }))
  await scene.untilItems(runId, ([item]) => item!.statusReason === 'retry_wait')
  await scene.workflows.pauseRun({ workspace, runId })
  await scene.untilItems(runId, ([item]) => item!.statusReason === 'run_paused')
  expect(tries).toBe(1)
  await scene.workflows.resumeRun({ workspace, runId })
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed' })
  expect(tries).toBe(2)
})

test('pausing a workflow pauses its open runs and refuses triggers; resuming it resumes them', async () => {
  const { gate, workflow, runId, first, target } = await openRun()
  expect(await scene.workflows.pause(target)).toMatchObject({ state: 'paused' })
  expect((await scene.run(runId)).status).toBe('pausing')
  expect(await codeOf(scene.workflows.trigger({ caller: SUBMITTER, workflow }))).toBe('workflow_paused')
  expect(await codeOf(scene.workflows.delete(target))).toBe('workflow_has_open_runs')
  gate.release(first)
  await scene.untilRun(runId, ({ status }) => status === 'paused')
  expect(await scene.workflows.pause(target)).toMatchObject({ state: 'paused' })
  expect(await scene.workflows.resume(target)).toMatchObject({ state: 'active' })
  await scene.untilRun(runId, ({ status, counts }) => status === 'running' && counts.running === 1)
})

test('terminating a run cancels what waits and stops what runs; a second time changes nothing', async () => {
  const { runId, run } = await openRun()
  await scene.workflows.terminateRun({ ...run, graceMs: 1000 })
  const ended = await scene.runEnded(runId)
  expect(ended).toMatchObject({ status: 'terminated', statusReason: 'terminated_by_user', counts: { cancelled: 3 } })
  for (const item of await scene.items(runId))
    expect(item).toMatchObject({ status: 'cancelled', statusReason: 'run_terminated' })
  expect(await scene.workflows.terminateRun({ ...run, graceMs: null })).toEqual(ended)
})

test('terminating a workflow terminates its runs, manual runs stay allowed, and resuming it resets the failures', async () => {
  const { gate, workflow, runId, target } = await openRun()
  expect(await scene.workflows.terminate({ ...target, graceMs: null })).toMatchObject({ state: 'terminated' })
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'terminated', statusReason: 'workflow_terminated' })
  expect(await scene.workflows.terminate({ ...target, graceMs: null })).toMatchObject({ state: 'terminated' })
  expect(await codeOf(scene.workflows.pause(target))).toBe('workflow_terminated')
  const manual = await scene.trigger(workflow)
  await scene.untilRun(manual, ({ counts }) => counts.running === 1 && gate.running === 1)
  expect(await scene.workflows.resume(target)).toMatchObject({ state: 'active', consecutiveFailures: 0 })
  expect(await scene.workflows.resume(target)).toMatchObject({ state: 'active' })
})

test('a run whose items were all cancelled one by one is terminated', async () => {
  const { runId } = await openRun()
  for (const { id: jobId } of await scene.items(runId))
    await scene.store.cancelJob({ workspace, jobId, reason: 'cancelled_by_user', graceMs: null })
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'terminated', statusReason: 'items_cancelled' })
  expect(statusesOf(await scene.items(runId))).toEqual(['cancelled', 'cancelled', 'cancelled'])
})

test('failed runs in a row are counted, a completed one starts anew, and at the limit the workflow is terminated', async () => {
  let outcome = broken
  scene = await openScene({ script: async () => outcome })
  const workflow = await scene.create({
    payload: [{ command: 'x', retry: { maximum_attempts: 1 } }],
    max_consecutive_failures: 3,
  })
  const failures = async () => {
    await scene.runEnded(await scene.trigger(workflow))
    const { consecutiveFailures, state } = (await scene.store.getWorkflow({ workspace, workflow }))!
    return [consecutiveFailures, state]
  }
  expect([await failures(), await failures()]).toEqual([
    [1, 'active'],
    [2, 'active'],
  ])
  outcome = done
  expect(await failures()).toEqual([0, 'active'])
  outcome = broken
  expect([await failures(), await failures(), await failures()]).toEqual([
    [1, 'active'],
    [2, 'active'],
    [3, 'terminated'],
  ])
  expect(await failures()).toEqual([3, 'terminated']) // a manual run of a terminated workflow does not count
  const { notifications } = await scene.store.listNotifications({
    workspace,
    unreadOnly: true,
    limit: 10,
    cursor: null,
  })
  expect(notifications).toMatchObject([{ type: 'workflow.terminated', workflowId: workflow }])
  await scene.workflows.resume({ workspace, workflow })
  expect(await failures()).toEqual([1, 'active'])
})
