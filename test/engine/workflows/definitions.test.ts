import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { ROLE_SCOPES } from '../../../src/model/scopes.ts'
import { openSecretBox } from '../../../src/store/secrets.ts'
import { removeDataDirs, SUBMITTER } from '../harness.ts'
import { codeOf, done, openScene, refusalOf, type Scene } from './scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ script: async () => done, secretKey: 'key', settings: { 'max-run-items': '20' } })
})
/** One engine serves all tests; each begins without workflows. */
afterEach(async () => {
  const { workflows } = await scene.store.listWorkflows({ workspace: 'default', filters: {}, limit: 100, cursor: null })
  for (const { id: workflow } of workflows) {
    await scene.workflows.terminate({ workspace: 'default', workflow, graceMs: null })
    await scene.workflows.delete({ workspace: 'default', workflow })
  }
})
afterAll(async () => {
  await scene.close()
  removeDataDirs()
})

const author = SUBMITTER
const analyst = { ...author, scopes: ROLE_SCOPES.analyst }
const secretBox = () => openSecretBox({ dataDir: scene.dataDir, secretKey: 'key' })
const load = async (workflow: string) => (await scene.store.loadWorkflow({ workspace: 'default', workflow }))!
const keptSecrets = async (workflow: string) => secretBox().open((await load(workflow)).secrets!)

const withSecrets = {
  name: 'nightly',
  environment: { API_TOKEN: 'one-token' },
  payload: [{ command: 'a', environment: { DB_PASSWORD: 'two-word' } }, { command: 'b' }],
  sinks: [{ type: 'webhook', url: 'https://a.example/hook', headers: { Authorization: 'Bearer three' } }],
  schedule: { intervals: [{ every: '1h' }] },
  max_consecutive_failures: 3,
}

test('a workflow is stored with its version and next run, and its secrets apart', async () => {
  const workflow = await scene.workflows.create({ author, definition: withSecrets })
  expect(workflow).toMatchObject({ name: 'nightly', state: 'active', version: 1, maxConsecutiveFailures: 3 })
  expect(workflow.nextRunAt! % 3_600_000).toBe(0)
  expect(workflow.definition).not.toMatch(/one-token|two-word|three/)
  expect(await keptSecrets('nightly')).toEqual({
    'environment.API_TOKEN': 'one-token',
    'payload.0.environment.DB_PASSWORD': 'two-word',
    'sinks.0.headers.Authorization': 'Bearer three',
  })
})

test('a name is unique in its workspace', async () => {
  await scene.create({ name: 'a' })
  expect(await codeOf(scene.create({ name: 'a' }))).toBe('workflow_exists')
  await scene.create({ name: 'b' })
  const renamed = scene.workflows.replace({
    author,
    workflow: 'b',
    definition: { name: 'a', payload: [{ command: 'x' }] },
  })
  expect(await codeOf(renamed)).toBe('workflow_exists')
})

test('replacing a workflow by what was read writes nothing and keeps its secrets', async () => {
  const { id, definition } = await scene.workflows.create({ author, definition: withSecrets })
  const before = await load(id)
  const again = await scene.workflows.replace({ author, workflow: 'nightly', definition: JSON.parse(definition) })
  expect(again).toMatchObject({ changed: false, workflow: { version: 1 } })
  expect(await load(id)).toEqual(before)
  const given = await scene.workflows.replace({ author, workflow: 'nightly', definition: withSecrets })
  expect(given.changed).toBe(false)
})

test('every change raises the version, and a secret that is not given again keeps its value', async () => {
  const { id, definition } = await scene.workflows.create({ author, definition: withSecrets })
  const changed = { ...JSON.parse(definition), environment: { API_TOKEN: 'another' }, max_consecutive_failures: null }
  const { workflow } = await scene.workflows.replace({ author, workflow: id, definition: changed })
  expect(workflow).toMatchObject({ version: 2, maxConsecutiveFailures: null })
  expect(await keptSecrets(id)).toMatchObject({
    'environment.API_TOKEN': 'another',
    'payload.0.environment.DB_PASSWORD': 'two-word',
  })
})

test('the schedule continues where it was unless it changed', async () => {
  const { id } = await scene.workflows.create({ author, definition: withSecrets })
  const { timing } = await load(id)
  await scene.workflows.replace({ author, workflow: id, definition: { ...withSecrets, payload: [{ command: 'c' }] } })
  expect((await load(id)).timing).toEqual(timing)
  const schedule = { intervals: [{ every: '2h' }] }
  await scene.workflows.replace({ author, workflow: id, definition: { ...withSecrets, schedule } })
  expect((await load(id)).timing.cursor).toBeGreaterThan(timing.cursor)
  await scene.workflows.replace({ author, workflow: id, definition: { ...withSecrets, schedule: null } })
  expect((await load(id)).nextRunAt).toBe(null)
})

test('a check reports what a definition would do, and writes nothing', async () => {
  const check = (definition: unknown) => scene.workflows.check({ author, definition })
  expect(await check(withSecrets)).toBe('new')
  expect(await scene.store.getWorkflow({ workspace: 'default', workflow: 'nightly' })).toBe(null)
  await scene.workflows.create({ author, definition: withSecrets })
  expect(await check(withSecrets)).toBe('unchanged')
  expect(await check({ ...withSecrets, environment: { API_TOKEN: 'another' } })).toBe('changed')
  expect(await codeOf(check({ ...withSecrets, payload: [] }))).toBe('invalid')
})

test("a payload beyond its author's scopes is refused", async () => {
  const definition = { name: 'x', payload: [{ command: 'x' }] }
  expect(await codeOf(scene.workflows.create({ author: analyst, definition }))).toBe('forbidden')
  await scene.workflows.create({ author, definition })
  const replaced = scene.workflows.replace({
    author: analyst,
    workflow: 'x',
    definition: { ...definition, labels: { a: 'b' } },
  })
  expect(await codeOf(replaced)).toBe('forbidden')
})

const wrong: readonly [string, object, string][] = [
  ['an empty payload', { payload: [] }, 'payload'],
  ['no payload', { payload: undefined }, 'payload'],
  ['an item that is not an object', { payload: [5] }, 'payload.0'],
  ['an item with nothing to do', { payload: [{ command: 'x' }, { name: 'y' }] }, 'payload.1'],
  ['an unknown field of an item', { payload: [{ command: 'x', colour: 'red' }] }, 'payload.0.colour'],
  [
    'an item with its own time',
    { payload: [{ command: 'x', scheduled_at: '2030-01-01T00:00:00Z' }] },
    'payload.0.scheduled_at',
  ],
  ['an unknown function', { payload: [{ api: 'nowhere' }] }, 'payload.0.api'],
  ['a name like an id', { name: '0196f1c2-8e1b-7c3d-9a4e-5f6071829304' }, 'name'],
  ['a name with a line end', { name: 'a\nb' }, 'name'],
  ['half a surrogate pair in the name', { name: '\ud800' }, 'name'],
  ['an unknown field', { colour: 'red' }, 'colour'],
  ['an unknown field that every object has', { constructor: 5 }, 'constructor'],
  ['no concurrency', { configuration: { max_concurrent_requests: 0 } }, 'configuration.max_concurrent_requests'],
  [
    'an unreadable interval',
    { configuration: { retry: { initial_interval: 'soon' } } },
    'configuration.retry.initial_interval',
  ],
  ['a number in the environment', { environment: { A: 5 } }, 'environment.A'],
  ['a webhook without address', { sinks: [{ type: 'webhook' }] }, 'sinks.0.url'],
  ['a webhook to a file', { sinks: [{ type: 'webhook', url: 'file:///etc/passwd' }] }, 'sinks.0.url'],
  [
    'an invalid signing secret',
    { sinks: [{ type: 'webhook', url: 'https://a.example', secret: 'x' }] },
    'sinks.0.secret',
  ],
  [
    'a header that would be two',
    { sinks: [{ type: 'webhook', url: 'https://a.example', headers: { 'X-A': 'a\r\nB: c' } }] },
    'sinks.0.headers.X-A',
  ],
  [
    'an unknown part of a key',
    { sinks: [{ type: 's3', bucket: 'b', access_key_id: 'i', secret_access_key: 's', key: '{date}' }] },
    'sinks.0.key',
  ],
  ['a sink of no type', { sinks: [{ type: 'mail' }] }, 'sinks.0.type'],
  [
    'a wrong sink of an item',
    { payload: [{ command: 'x', sinks: [{ type: 's3', access_key_id: 'i', secret_access_key: 's' }] }] },
    'payload.0.sinks.0.bucket',
  ],
  ['a masked secret that nothing is kept for', { environment: { A_TOKEN: '***' } }, 'environment.A_TOKEN'],
  ['minute 60', { schedule: { calendars: [{ minute: 60 }] } }, 'schedule.calendars.0.minute'],
  ['every 5 parsecs', { schedule: { intervals: [{ every: '5 parsecs' }] } }, 'schedule.intervals.0.every'],
  ['an unknown zone', { schedule: { crons: ['@daily'], time_zone: 'Mars/Olympus' } }, 'schedule.time_zone'],
  ['an unknown policy', { schedule: { crons: ['@daily'], overlap: 'maybe' } }, 'schedule.overlap'],
]
test('what is wrong is refused with its field, and nothing is stored', async () => {
  for (const [about, fault, path] of wrong) {
    const refusal = await refusalOf(scene.create(fault as Record<string, unknown>))
    expect([about, refusal.code, refusal.errors.map(error => error.path)]).toEqual([about, 'invalid', [path]])
  }
  const { workflows } = await scene.store.listWorkflows({ workspace: 'default', filters: {}, limit: 10, cursor: null })
  expect(workflows).toEqual([])
})

test('all faults are reported at once, whatever their kind', async () => {
  const refusal = await refusalOf(
    scene.create({
      colour: 'red',
      labels: { a: 1 },
      name: 'a\nb',
      payload: [{ command: 'x' }, { api: 'nowhere' }, { command: 'x', priority: 1000 }],
      configuration: { retry: { initial_interval: 'soon' } },
      sinks: [{ type: 'webhook', url: 'ftp://a.example' }],
      schedule: { calendars: [{ minute: 60 }, { month: 2, day_of_month: 31 }], time_zone: 'Mars/Olympus' },
    }),
  )
  expect(refusal.code).toBe('invalid')
  expect(refusal.errors.map(({ path }) => path).toSorted()).toEqual([
    'colour',
    'configuration.retry.initial_interval',
    'labels.a',
    'name',
    'payload.1.api',
    'payload.2.priority',
    'schedule.calendars.0.minute',
    'schedule.calendars.1',
    'schedule.time_zone',
    'sinks.0.url',
  ])
})

test('many faults of one field neither hide those of others nor affect their check', async () => {
  const labels = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`l${index}`, index]))
  const wrong = { colour: 1, labels, configuration: 5, schedule: 5, sinks: 5, payload: [{ api: 'nowhere' }] }
  const { code, errors } = await refusalOf(scene.create(wrong))
  expect(code).toBe('invalid')
  expect(errors.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['colour', 'labels.l0', 'configuration', 'schedule', 'sinks', 'payload.0.api']),
  )
})

test('a variable that an item lists as secret is not reported as missing because the environment is wrong', async () => {
  const payload = [{ command: 'x', secrets: ['PLAIN'] }]
  const refusal = await refusalOf(scene.create({ environment: { PLAIN: 5 }, payload }))
  expect(refusal.errors.map(({ path }) => path)).toEqual(['environment.PLAIN'])
})

test('a schedule that can never fire is refused with its path', async () => {
  const never = [
    [{ calendars: [{ month: 'FEBRUARY', day_of_month: 31 }] }, 'schedule.calendars.0'],
    [{ crons: ['0 9 * * *', '0 0 31 2 *'] }, 'schedule.crons.1'],
    [{ calendars: [{ year: 2020 }] }, 'schedule'],
    [{ intervals: [{ every: '1h' }], end_at: '2020-01-01T00:00:00Z' }, 'schedule'],
  ] as const
  for (const [schedule, path] of never) {
    const refusal = await refusalOf(scene.create({ schedule }))
    expect([refusal.code, ...refusal.errors.map(error => error.path)]).toEqual(['schedule_never_fires', path])
  }
})

test('more items than a run may have are refused, and so are kinds without an executor', async () => {
  const payload = Array.from({ length: 21 }, () => ({ command: 'x' }))
  expect(await codeOf(scene.create({ payload }))).toBe('too_many_items')
  expect(await codeOf(scene.create({ payload: [{ query: 'SELECT 1' }] }))).toBe('executor_unavailable')
  expect(await codeOf(scene.workflows.create({ author, definition: [] }))).toBe('invalid')
})

test('items of a kind without an executor are reported with their paths, beside all other faults', async () => {
  const payload = [{ command: 'x' }, { query: 'SELECT 1' }, { command: 5 }, { image: 'alpine:3' }]
  const pathsOf = async (definition: Readonly<Record<string, unknown>>) => {
    const { code, errors } = await refusalOf(scene.create(definition))
    return [code, ...errors.map(({ path }) => path)]
  }
  expect(await pathsOf({ payload, colour: 'red' })).toEqual([
    'invalid',
    'colour',
    'payload.1',
    'payload.2.command',
    'payload.3',
  ])
  expect(await pathsOf({ payload: payload.filter(item => item.command !== 5) })).toEqual([
    'executor_unavailable',
    'payload.1',
    'payload.2',
  ])
})

test('a workflow is deleted only when it is not active and has no open run, and its jobs stay', async () => {
  const workflow = await scene.create()
  const runId = await scene.trigger(workflow)
  await scene.runEnded(runId)
  const gone = { workspace: 'default', workflow }
  expect(await codeOf(scene.workflows.delete(gone))).toBe('workflow_active')
  await scene.workflows.pause(gone)
  await scene.workflows.delete(gone)
  expect(await codeOf(scene.workflows.delete(gone))).toBe('not_found')
  expect(await scene.items(runId)).toHaveLength(1)
})

test('upcoming slots have the instants they fire at, and a preview needs no workflow', async () => {
  const hour = 3_600_000
  const workflow = await scene.create({ schedule: { intervals: [{ every: '1h' }], jitter: '30m' } })
  const { slots } = await scene.workflows.upcoming({ workspace: 'default', workflow, count: 5 })
  expect(slots).toHaveLength(5)
  for (const [index, { slot, fireAt }] of slots.entries()) {
    expect(slot).toBe(slots[0]!.slot + index * hour)
    expect(fireAt - slot).toBeLessThan(hour / 2)
    expect(fireAt).toBeGreaterThanOrEqual(slot)
  }
  await scene.workflows.terminate({ workspace: 'default', workflow, graceMs: null })
  expect(await scene.workflows.upcoming({ workspace: 'default', workflow, count: 5 })).toEqual({
    state: 'terminated',
    slots: [],
  })
  const after = Date.parse('2026-11-21T10:30:00Z')
  const preview = (schedule: unknown, count: number) => scene.workflows.preview({ schedule, after, count })
  expect(
    preview({ crons: ['0 9 * * MON-FRI'], time_zone: 'Europe/Berlin' }, 2).map(slot => new Date(slot).toISOString()),
  ).toEqual(['2026-11-23T08:00:00.000Z', '2026-11-24T08:00:00.000Z'])
  expect(() => preview({ calendars: [{ minute: 60 }] }, 2)).toThrow(/schedule.calendars.0.minute/)
  expect(() => preview({ crons: ['0 0 31 2 *'] }, 2)).toThrow(/schedule/)
})

test('changing the target of a sink requires its secrets', async () => {
  const { id, definition } = await scene.workflows.create({ author, definition: withSecrets })
  const shown = JSON.parse(definition)
  const [hook] = shown.sinks
  const sinks = [{ ...hook, url: 'https://evil.example/hook' }]
  const refusal = await refusalOf(scene.workflows.replace({ author, workflow: id, definition: { ...shown, sinks } }))
  expect(refusal.errors.map(({ path }) => path)).toEqual(['sinks.0.headers.Authorization'])
  expect(await keptSecrets(id)).toMatchObject({ 'sinks.0.headers.Authorization': 'Bearer three' })
  const given = [{ ...sinks[0], headers: { Authorization: 'Bearer four' } }]
  await scene.workflows.replace({ author, workflow: id, definition: { ...shown, sinks: given } })
  expect(await keptSecrets(id)).toMatchObject({ 'sinks.0.headers.Authorization': 'Bearer four' })
})

test('a definition whose jobs would be too large in total is refused', async () => {
  const environment = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [`V${index}`, 'x'.repeat(128 * 1024)]),
  )
  const payload = Array.from({ length: 20 }, () => ({ command: 'x' }))
  const refusal = await refusalOf(scene.create({ environment, payload }))
  expect(refusal.errors).toMatchObject([{ path: 'payload', message: expect.stringContaining('MiB in all') }])
  const id = await scene.create({ payload: payload.map(() => ({ api: 'scrape' })) })
  const parameters = { text: 'x'.repeat(5 * 1024 * 1024) }
  const trigger = scene.workflows.trigger({ caller: author, workflow: id, parameters })
  expect((await refusalOf(trigger)).errors).toMatchObject([{ path: 'payload' }])
})
