import { afterAll, afterEach, expect, test } from 'vitest'
import type { ClaimedJob } from '../../../src/model/job.ts'
import { ROLE_SCOPES } from '../../../src/model/scopes.ts'
import { longestBlockOf } from '../../longest-block.ts'
import { removeDataDirs, type Script, SUBMITTER } from '../harness.ts'
import { broken, codeOf, createGate, done, openScene, refusalOf, type Scene, statusesOf } from './scene.ts'

let scene: Scene
afterEach(() => scene.close())
afterAll(removeDataDirs)

const caller = SUBMITTER
const workspace = 'default'

test('a run makes one job per item and completes when all have', async () => {
  const seen: ClaimedJob[] = []
  scene = await openScene({
    script: async job => {
      seen.push(job)
      return done
    },
  })
  const workflow = await scene.create({
    payload: [{ command: 'a', name: 'first' }, { command: 'b' }, { api: 'scrape' }],
  })
  const runId = await scene.trigger(workflow)
  const run = await scene.runEnded(runId)
  expect(run).toMatchObject({ workflowId: workflow, workflowVersion: 1, trigger: 'manual', status: 'completed' })
  expect(run.counts).toEqual({ pending: 0, queued: 0, running: 0, completed: 3, failed: 0, cancelled: 0 })
  const items = await scene.items(runId)
  expect(items.map(item => [item.kind, item.name, item.runId, item.workflowId, item.trigger])).toEqual([
    ['command', 'first', runId, workflow, 'manual'],
    ['command', null, runId, workflow, 'manual'],
    ['api', null, runId, workflow, 'manual'],
  ])
  expect(seen).toHaveLength(3)
})

test('without a policy an item has three attempts without delay; a run with a failed item has failed', async () => {
  scene = await openScene({ script: async job => (job.name === 'bad' ? broken : done) })
  const runId = await scene.trigger(await scene.create({ payload: [{ command: 'x', name: 'bad' }, { command: 'y' }] }))
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'failed', statusReason: 'items_failed' })
  expect(await scene.items(runId)).toMatchObject([
    { status: 'failed', attempt: 3 },
    { status: 'completed', attempt: 1 },
  ])
})

test('the retry policy of an item overrides that of the workflow field by field', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create({
    configuration: { retry: { maximum_attempts: 7, initial_interval: '2s', maximum_interval: '1m' } },
    payload: [{ command: 'x' }, { command: 'y', retry: { maximum_attempts: 2, backoff_coefficient: 3 } }],
  })
  const runId = await scene.trigger(workflow)
  await scene.runEnded(runId)
  const policies = (await scene.items(runId)).map(item => item.retry)
  expect(policies).toEqual([
    { maximumAttempts: 7, initialInterval: 2000, backoffCoefficient: 1, maximumInterval: 60_000 },
    { maximumAttempts: 2, initialInterval: 2000, backoffCoefficient: 3, maximumInterval: 60_000 },
  ])
})

test('five items run at once by default, and as many as the workflow says', async () => {
  const gate = createGate()
  scene = await openScene({ script: gate.script, settings: { 'max-workers': '20' } })
  const payload = Array.from({ length: 12 }, () => ({ command: 'x' }))
  for (const [configuration, atOnce] of [
    [{}, 5],
    [{ max_concurrent_requests: 2 }, 2],
  ] as const) {
    const runId = await scene.trigger(await scene.create({ name: `of-${atOnce}`, payload, configuration }))
    for (let left = 12; left > 0; left -= Math.min(left, atOnce)) {
      const { counts } = await scene.untilRun(
        runId,
        run =>
          run.counts.completed === 12 - left &&
          run.counts.running === Math.min(left, atOnce) &&
          gate.running === run.counts.running,
      )
      expect(counts.queued).toBe(0)
      expect(counts.pending).toBe(Math.max(0, left - atOnce))
      gate.releaseAll()
    }
    expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed' })
  }
})

test('an item that waits for its retry holds no slot and does not hold back the others', async () => {
  let failed = false
  const script: Script = async job => {
    if (job.name !== 'bad') return done
    failed = true
    return broken
  }
  scene = await openScene({ script })
  const workflow = await scene.create({
    configuration: { max_concurrent_requests: 1 },
    payload: [{ command: 'x', name: 'bad', retry: { initial_interval: '1h' } }, { command: 'y' }, { command: 'z' }],
  })
  const runId = await scene.trigger(workflow)
  await scene.untilRun(runId, run => run.counts.completed === 2)
  expect(failed).toBe(true)
  expect(await scene.items(runId)).toMatchObject([
    { status: 'pending', statusReason: 'retry_wait', attempt: 1 },
    { status: 'completed' },
    { status: 'completed' },
  ])
  expect((await scene.run(runId)).status).toBe('running')
  await scene.workflows.terminateRun({ workspace, runId, graceMs: null })
})

test('an item gets the environment and sinks of the workflow, its secrets sealed with its own', async () => {
  const secrets: Readonly<Record<string, string>>[] = []
  scene = await openScene({
    script: async (_, context) => {
      secrets.push(context.secrets)
      return done
    },
  })
  const hook = { type: 'webhook', url: 'http://127.0.0.1:1/', headers: { Authorization: 'Bearer x' } }
  const workflow = await scene.create({
    environment: { A: 'workflow', B: 'workflow', S_TOKEN: 'secret-one' },
    sinks: [
      { ...hook, apis_to_send: ['detail'] },
      { ...hook, skip_on_fail: true },
    ],
    payload: [{ command: 'x', environment: { A: 'item' } }],
  })
  const runId = await scene.trigger(workflow)
  await scene.runEnded(runId)
  const [item] = await scene.items(runId)
  expect(JSON.parse(item!.spec)).toEqual({
    command: 'x',
    environment: { A: 'item', B: 'workflow', S_TOKEN: '***' },
    sinks: [
      { ...hook, headers: { Authorization: '***' }, apis_to_send: ['detail'] },
      { ...hook, headers: { Authorization: '***' }, skip_on_fail: true },
    ],
  })
  expect(secrets).toEqual([
    {
      'environment.S_TOKEN': 'secret-one',
      'sinks.0.headers.Authorization': 'Bearer x',
      'sinks.1.headers.Authorization': 'Bearer x',
    },
  ])
  const { deliveries } = await scene.store.listDeliveries({ workspace, filters: { runId }, limit: 10, cursor: null })
  expect(deliveries).toMatchObject([{ jobId: item!.id, sinkIndex: 1 }])
})

test('the parameters of a trigger override those of every item, and are refused if no item takes any', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create({
    payload: [{ api: 'scrape', parameters: { page: 1, size: 10 } }, { api: 'detail' }, { command: 'x' }],
  })
  const { runId } = await scene.workflows.trigger({ caller, workflow, parameters: { page: 9 } })
  await scene.runEnded(runId)
  expect((await scene.items(runId)).map(item => JSON.parse(item.spec).parameters)).toEqual([
    { page: 9, size: 10 },
    { page: 9 },
    undefined,
  ])
  const again = await scene.trigger(workflow)
  await scene.runEnded(again)
  expect(JSON.parse((await scene.items(again))[0]!.spec).parameters).toEqual({ page: 1, size: 10 })
  const commands = await scene.create({ name: 'commands' })
  const refused = await refusalOf(scene.workflows.trigger({ caller, workflow: commands, parameters: { page: 9 } }))
  expect(refused.errors).toMatchObject([{ path: 'parameters' }])
})

test('a change of the workflow is for later runs, and an open run keeps its snapshot', async () => {
  const gate = createGate()
  scene = await openScene({ script: gate.script })
  const workflow = await scene.create({
    configuration: { max_concurrent_requests: 1 },
    payload: [{ command: 'a' }, { command: 'b' }],
  })
  const before = await scene.trigger(workflow)
  await scene.untilRun(before, run => run.counts.running === 1)
  await scene.workflows.replace({ author: caller, workflow, definition: { name: 'test', payload: [{ command: 'c' }] } })
  const after = await scene.trigger(workflow)
  await scene.untilRun(after, run => run.counts.running === 1 && gate.running === 2)
  expect(await scene.run(before)).toMatchObject({ workflowVersion: 1, maxConcurrent: 1, counts: { pending: 1 } })
  expect(JSON.parse((await scene.run(before)).snapshot).payload).toEqual([{ command: 'a' }, { command: 'b' }])
  expect(await scene.run(after)).toMatchObject({ workflowVersion: 2, maxConcurrent: 5 })
  gate.releaseAll()
  await scene.untilRun(before, run => run.counts.completed === 1 && run.counts.running === 1 && gate.running === 1)
  gate.releaseAll()
  expect(await scene.runEnded(before)).toMatchObject({ status: 'completed', workflowVersion: 1 })
})

test('a run triggered for later is pending until then; a time long past is refused', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create()
  const soon = Date.now() + 700
  const { runId, status } = await scene.workflows.trigger({
    caller,
    workflow,
    scheduledAt: new Date(soon).toISOString(),
  })
  expect(status).toBe('pending')
  expect(await scene.run(runId)).toMatchObject({ status: 'pending', statusReason: 'scheduled', scheduledAt: soon })
  expect(await scene.items(runId)).toMatchObject([{ status: 'pending', statusReason: 'run_pending' }])
  const { startedAt } = await scene.runEnded(runId)
  expect(startedAt).toBeGreaterThanOrEqual(soon)
  const past = scene.workflows.trigger({ caller, workflow, scheduledAt: '2020-01-01T00:00:00Z' })
  expect((await refusalOf(past)).errors).toMatchObject([{ path: 'scheduled_at' }])
})

test('a trigger requires the right to run every kind, and the jobs have only the scopes common to author and caller', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create()
  const analyst = { ...caller, scopes: ROLE_SCOPES.analyst }
  expect(await codeOf(scene.workflows.trigger({ caller: analyst, workflow }))).toBe('forbidden')
  const runner = { ...caller, scopes: ['jobs:run:command', 'jobs:read'] as const }
  const { runId } = await scene.workflows.trigger({ caller: runner, workflow })
  await scene.runEnded(runId)
  expect([...(await scene.items(runId))[0]!.scopes].sort()).toEqual(['jobs:read', 'jobs:run:command'])
  expect(await codeOf(scene.workflows.retryFailed({ caller: runner, runId }))).toBe('no_failed_items')
})

test('the failed items of a run can be run again, with their secrets, and the old run stays as it ended', async () => {
  let isMended = false
  const secrets: unknown[] = []
  scene = await openScene({
    script: async (job, context) => {
      if (job.name !== 'bad') return done
      secrets.push(context.secrets)
      return isMended ? done : broken
    },
  })
  const item = { command: 'x', name: 'bad', environment: { A_TOKEN: 'secret-one' }, retry: { maximum_attempts: 1 } }
  const workflow = await scene.create({ payload: [item, { command: 'y' }] })
  const runId = await scene.trigger(workflow)
  const ended = await scene.runEnded(runId)
  isMended = true
  const changed = { name: 'test', payload: [{ command: 'changed' }] }
  await scene.workflows.replace({ author: caller, workflow, definition: changed })
  const { runId: again } = await scene.workflows.retryFailed({ caller, runId })
  const { snapshot, workflowVersion } = ended
  const retry = { trigger: 'manual', retryOf: runId, snapshot, workflowVersion }
  expect(await scene.runEnded(again)).toMatchObject({ status: 'completed', ...retry })
  expect(statusesOf(await scene.items(again))).toEqual(['completed'])
  expect(await scene.run(runId)).toEqual(ended)
  expect(secrets).toEqual([{ 'environment.A_TOKEN': 'secret-one' }, { 'environment.A_TOKEN': 'secret-one' }])
  expect(await codeOf(scene.workflows.retryFailed({ caller, runId: again }))).toBe('no_failed_items')
})

test('two triggers with one idempotency key make one run', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create()
  const key = { workspace, method: 'POST', path: `/v1/workflows/${workflow}/trigger`, key: 'k' }
  await scene.store.beginIdempotent({ key, bodyHash: 'h' })
  const { runId } = await scene.workflows.trigger({ caller, workflow, idempotency: key })
  const kept = await scene.store.beginIdempotent({ key, bodyHash: 'h' })
  if (kept.type !== 'answered') throw new Error(kept.type)
  expect(kept.answer.status).toBe(201)
  expect(JSON.parse(kept.answer.body)).toMatchObject({ run_id: runId })
  expect(await scene.runsOf(workflow)).toHaveLength(1)
})

test('a single job may have sinks, except that one limited to functions gets nothing', async () => {
  scene = await openScene({ script: async () => done })
  const hook = { type: 'webhook', url: 'http://127.0.0.1:1/', secret: `whsec_${Buffer.alloc(24).toString('base64')}` }
  const [jobId] = await scene.submit({ sinks: [{ ...hook, apis_to_send: ['scrape'] }, hook] })
  await scene.ended(jobId!)
  expect(JSON.parse((await scene.get(jobId!)).spec).sinks).toMatchObject([{ secret: '***' }, { secret: '***' }])
  const { deliveries } = await scene.store.listDeliveries({
    workspace,
    filters: { jobId: jobId! },
    limit: 10,
    cursor: null,
  })
  expect(deliveries).toMatchObject([{ jobId, sinkIndex: 1 }])
})

test('a run of 10,000 items does not block the event loop', async () => {
  scene = await openScene({ script: async () => done, settings: { 'max-workers': '50' } })
  const payload = Array.from({ length: 10_000 }, (_, index) => ({ command: ['echo', String(index)] }))
  let runId = ''
  const block = await longestBlockOf(async () => {
    runId = await scene.trigger(await scene.create({ payload, configuration: { max_concurrent_requests: 50 } }))
  })
  expect(block).toBeLessThan(1000)
  expect((await scene.run(runId)).counts).toMatchObject({ failed: 0 })
  await scene.workflows.terminateRun({ workspace, runId, graceMs: 0 })
  const { counts } = await scene.runEnded(runId)
  expect(counts.completed + counts.cancelled).toBe(10_000)
})

test('a variable that one item lists as secret is secret in all items', async () => {
  scene = await openScene({ script: async () => done })
  const workflow = await scene.create({
    environment: { PLAIN: 'hidden-value', OTHER: 'shown-value' },
    payload: [{ command: 'x', secrets: ['PLAIN'] }, { command: 'y' }],
  })
  const runId = await scene.trigger(workflow)
  await scene.runEnded(runId)
  const items = await scene.items(runId)
  expect(items.map(item => JSON.parse(item.spec).environment)).toEqual([
    { PLAIN: '***', OTHER: 'shown-value' },
    { PLAIN: '***', OTHER: 'shown-value' },
  ])
})

test('a masked sink secret in a new job is refused, since anyone can sign with the mask', async () => {
  scene = await openScene({ script: async () => done })
  const hook = { type: 'webhook', url: 'http://127.0.0.1:1/', secret: '***', headers: { Authorization: '***' } }
  const refusal = await refusalOf(scene.submit({ sinks: [hook] }))
  expect(refusal.errors.map(({ path }) => path.replace(/^.*sinks/, 'sinks')).toSorted()).toEqual([
    'sinks.0.headers.Authorization',
    'sinks.0.secret',
  ])
})
