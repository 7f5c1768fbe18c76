import { afterAll, afterEach, expect, test } from 'vitest'
import type { MillraceError } from '../../../src/kernel/errors.ts'
import { removeDataDirs, type Script, SUBMITTER } from '../harness.ts'
import { broken, codeOf, createGate, done, openScene, type Scene } from './scene.ts'

let scene: Scene
afterEach(() => scene.close())
afterAll(removeDataDirs)

const workspace = 'default'
const pages = (count: number) => Array.from({ length: count }, (_, page) => ({ api: 'detail', parameters: { page } }))

/** A list page that adds its detail pages. */
const crawl =
  (count: number, atEnd: Script = async () => done): Script =>
  async (job, context) => {
    if (JSON.parse(job.spec).api !== 'scrape') return done
    await context.extendPayload(pages(count))
    return atEnd(job, context)
  }

test('items added by a running item join its run when it completes', async () => {
  scene = await openScene({ script: crawl(3) })
  const workflow = await scene.create({
    payload: [{ api: 'scrape' }],
    environment: { SITE: 'a.example', A_TOKEN: 'secret-one' },
  })
  const runId = await scene.trigger(workflow)
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed', counts: { completed: 4 } })
  const [list, ...details] = await scene.items(runId)
  expect(details.map(item => JSON.parse(item.spec))).toEqual(
    pages(3).map(body => ({ ...body, environment: { SITE: 'a.example', A_TOKEN: '***' } })),
  )
  for (const detail of details)
    expect(detail).toMatchObject({ parentJobId: list!.id, workflowId: workflow, retry: { maximumAttempts: 3 } })
})

test('a page without links adds no items, and is no failure', async () => {
  scene = await openScene({ script: crawl(0) })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'completed', counts: { completed: 1 } })
})

test('a failed attempt adds nothing, and a retried item adds its items once', async () => {
  const script = crawl(2, async job => (job.attempt < 3 ? broken : done))
  scene = await openScene({ script })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  expect(await scene.runEnded(runId)).toMatchObject({ counts: { completed: 3, failed: 0 } })
})

test('an item that fails for good adds nothing', async () => {
  scene = await openScene({ script: crawl(2, async () => broken) })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'failed', counts: { completed: 0, failed: 1 } })
})

test('a terminated run accepts no more items', async () => {
  const gate = createGate()
  scene = await openScene({ script: crawl(2, gate.script) })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  await scene.untilRun(runId, () => gate.running === 1)
  await scene.workflows.terminateRun({ workspace, runId, graceMs: null })
  expect(await scene.runEnded(runId)).toMatchObject({ status: 'terminated', counts: { cancelled: 1, completed: 0 } })
})

test('a run has a maximum number of items, including those that wait to join', async () => {
  const codes: string[] = []
  const script: Script = async (_, context) => {
    for (const count of [3, 2, 1]) {
      const code = await context.extendPayload(pages(count)).then(
        () => 'kept',
        error => (error as MillraceError).code,
      )
      codes.push(code)
    }
    return done
  }
  scene = await openScene({
    script: async (job, context) => (JSON.parse(job.spec).api === 'scrape' ? script(job, context) : done),
    settings: { 'max-run-items': '5' },
  })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  expect(await scene.runEnded(runId)).toMatchObject({ counts: { completed: 5 } })
  expect(codes).toEqual(['kept', 'too_many_items', 'kept'])
})

test('items that are invalid, or beyond the scopes of the job, are refused while it keeps running', async () => {
  const gate = createGate()
  scene = await openScene({ script: gate.script })
  const caller = { ...SUBMITTER, scopes: ['jobs:run:api'] as const }
  const workflow = await scene.create({ payload: [{ api: 'scrape' }] })
  const { runId } = await scene.workflows.trigger({ caller, workflow })
  await scene.untilRun(runId, () => gate.running === 1)
  const [item] = await scene.items(runId)
  const extend = (items: unknown[], jobId = item!.id) =>
    codeOf(scene.workflows.extend({ workspace, jobId, attempt: 1, items }))
  expect(await extend([{ api: 'nowhere' }])).toBe('invalid')
  expect(await extend([{ command: 'x' }])).toBe('forbidden')
  expect(await extend([{ query: 'SELECT 1' }])).toBe('executor_unavailable')
  const [single] = await scene.submit({})
  await scene.until(single!, job => job.status === 'running')
  expect(await extend([{ api: 'detail' }], single!)).toBe('job_not_in_run')
  expect(await extend([{ api: 'detail' }], '01990000-0000-7000-8000-000000000000')).toBe('not_found')
  gate.release(item!.id)
  await scene.runEnded(runId)
  expect(await extend([{ api: 'detail' }])).toBe('job_not_running')
  gate.releaseAll()
})

test('added items get the settings of the workflow from the start of the run, and its current secrets', async () => {
  const gate = createGate()
  const secrets: unknown[] = []
  scene = await openScene({
    script: async (job, context) => {
      if (JSON.parse(job.spec).api === 'scrape') return gate.script(job, context)
      secrets.push(context.secrets)
      return done
    },
  })
  const definition = {
    name: 'test',
    payload: [{ api: 'scrape' }],
    environment: { SITE: 'a.example', A_TOKEN: 'secret-one' },
  }
  const workflow = await scene.create(definition)
  const runId = await scene.trigger(workflow)
  await scene.untilRun(runId, () => gate.running === 1)
  const changed = { ...definition, environment: { SITE: 'b.example', A_TOKEN: 'secret-two' } }
  await scene.workflows.replace({ author: SUBMITTER, workflow, definition: changed })
  const [item] = await scene.items(runId)
  await scene.workflows.extend({ workspace, jobId: item!.id, attempt: 1, items: [{ api: 'detail' }] })
  gate.release(item!.id)
  await scene.runEnded(runId)
  const [, added] = await scene.items(runId)
  expect(JSON.parse(added!.spec).environment).toEqual({ SITE: 'a.example', A_TOKEN: '***' })
  expect(secrets).toEqual([{ 'environment.A_TOKEN': 'secret-two' }])
})

test('current secrets are not sent to the old addresses of sinks that were changed meanwhile', async () => {
  const gate = createGate()
  const secrets: unknown[] = []
  scene = await openScene({
    script: async (job, context) => {
      if (JSON.parse(job.spec).api === 'scrape') return gate.script(job, context)
      secrets.push(context.secrets)
      return done
    },
  })
  const hook = (name: string, token: string, apis: readonly string[] = ['scrape', 'detail']) => ({
    type: 'webhook',
    url: `http://127.0.0.1:1/${name}`,
    headers: { Authorization: token },
    apis_to_send: apis,
  })
  const definition = { name: 'test', payload: [{ api: 'scrape' }] }
  // The first is for none of the items, but stays in their lists.
  const sinks = [hook('other', 'zero', ['other']), hook('a', 'one'), hook('b', 'two')]
  const workflow = await scene.create({ ...definition, sinks })
  const runId = await scene.trigger(workflow)
  await scene.untilRun(runId, () => gate.running === 1)
  const changed = [hook('other', 'zero', ['other']), hook('c', 'three'), hook('b', 'four')]
  await scene.workflows.replace({ author: SUBMITTER, workflow, definition: { ...definition, sinks: changed } })
  const [item] = await scene.items(runId)
  await scene.workflows.extend({ workspace, jobId: item!.id, attempt: 1, items: [{ api: 'detail' }] })
  gate.release(item!.id)
  await scene.runEnded(runId)
  const [, added] = await scene.items(runId)
  expect(JSON.parse(added!.spec).sinks).toMatchObject([
    { url: 'http://127.0.0.1:1/other', headers: { Authorization: '***' } },
    { url: 'http://127.0.0.1:1/a', headers: { Authorization: '***' } },
    { url: 'http://127.0.0.1:1/b', headers: { Authorization: '***' } },
  ])
  const authorization = (index: number) => `sinks.${index}.headers.Authorization`
  expect(secrets).toEqual([{ [authorization(0)]: 'zero', [authorization(1)]: 'one', [authorization(2)]: 'four' }])
})

test('an item that is added from outside may do no more than whoever added it', async () => {
  const gate = createGate()
  scene = await openScene({ script: gate.script })
  const runId = await scene.trigger(await scene.create({ payload: [{ api: 'scrape' }] }))
  await scene.untilRun(runId, () => gate.running === 1)
  const [item] = await scene.items(runId)
  const scopes = ['jobs:read', 'jobs:run:api', 'not:a:scope']
  await scene.workflows.extend({ workspace, jobId: item!.id, attempt: 1, items: [{ api: 'detail' }], scopes })
  await scene.workflows.extend({ workspace, jobId: item!.id, attempt: 1, items: [{ api: 'detail' }] })
  gate.release(item!.id)
  await scene.untilItems(runId, jobs => jobs.length === 3)
  const [, ...added] = await scene.items(runId)
  const submissions = await Promise.all(added.map(({ id }) => scene.store.getSubmission({ workspace, jobId: id })))
  const found = submissions.map(submission => submission!.scopes.toSorted())
  const own = (await scene.store.getSubmission({ workspace, jobId: item!.id }))!.scopes
  expect(found).toContainEqual(own.filter(scope => scopes.includes(scope)).toSorted())
  expect(found).toContainEqual(own.toSorted())
  await scene.workflows.terminateRun({ workspace, runId, graceMs: null })
})
