import { afterAll, afterEach, expect, test } from 'vitest'
import type { Slot } from '../../../src/model/workflow.ts'
import type { Store } from '../../../src/store/store.ts'
import { removeDataDirs, SUBMITTER } from '../harness.ts'
import { codeOf, createGate, done, functions, openScene, type Scene, ShiftedClock, until } from './scene.ts'

let scene: Scene
let clock: ShiftedClock
const others: Scene[] = []
afterEach(async () => {
  functions.add('scrape')
  await scene.close()
  for (const other of others.splice(0)) await other.close()
})
afterAll(removeDataDirs)

const HOUR = 3_600_000
const workspace = 'default'
const hourly = { schedule: { intervals: [{ every: '1h' }] } }

const open = async (options: Partial<Parameters<typeof openScene>[0]> = {}): Promise<void> => {
  clock = new ShiftedClock()
  // Always ten past the hour, so that no real hour ends while a test runs.
  clock.shift = HOUR / 6 - (Date.now() % HOUR)
  scene = await openScene({ script: async () => done, clock, ...options })
}

/** Sets the clock forward to the slot `hours` from now; returns the slot. */
const jump = (hours: number, lateMs = 50): number => {
  const slot = Math.floor(clock.now() / HOUR) * HOUR + hours * HOUR
  clock.shift += slot + lateMs - clock.now()
  scene.wake()
  return slot
}

const slotsWhen = (workflow: string, count: number) =>
  until(
    () => scene.slotsOf(workflow),
    slots => slots.length >= count,
    `slots of ${workflow}`,
  )

test('each slot fires at its time, with a run of its own', async () => {
  await open()
  const workflow = await scene.create({ schedule: { intervals: [{ every: '2s' }], overlap: 'allow' } })
  const isFired = ({ outcome }: Slot): boolean => outcome === 'fired'
  const slots = await until(
    () => scene.slotsOf(workflow),
    all => all.filter(isFired).length >= 2,
    'two slots',
  )
  for (const [index, { slot, lastSlot }] of slots.entries()) {
    expect(slot % 2000).toBe(0)
    expect(slots[index + 1]?.slot ?? lastSlot + 2000).toBe(lastSlot + 2000)
  }
  for (const { slot, runId, recordedAt } of slots.filter(isFired)) {
    expect(recordedAt).toBeGreaterThanOrEqual(slot)
    expect(await scene.runEnded(runId!)).toMatchObject({ trigger: 'automatic', scheduledAt: slot, status: 'completed' })
    expect((await scene.items(runId!))[0]).toMatchObject({ trigger: 'automatic', scheduledAt: slot })
  }
})

test('an item knows its slot, its run and its workflow', async () => {
  const told: Readonly<Record<string, string>>[] = []
  await open({
    script: async (_, { environment }) => {
      told.push(environment)
      return done
    },
  })
  const workflow = await scene.create(hourly)
  const slot = jump(1)
  const [fired] = await slotsWhen(workflow, 1)
  const { id } = await scene.runEnded(fired!.runId!)
  expect(told).toMatchObject([
    {
      MILLRACE_RUN_ID: id,
      MILLRACE_WORKFLOW_ID: workflow,
      MILLRACE_SCHEDULED_AT: new Date(slot).toISOString(),
      MILLRACE_ATTEMPT: '1',
    },
  ])
})

test('after a stop only the newest slot missed within catch_up runs, and the others are recorded', async () => {
  await open()
  const workflow = await scene.create({ schedule: { intervals: [{ every: '1h' }], catch_up: '1d' } })
  const first = Math.ceil((clock.now() + 1) / HOUR) * HOUR
  const newest = jump(5)
  expect(await slotsWhen(workflow, 2)).toMatchObject([
    { slot: first, lastSlot: newest - HOUR, count: 4, outcome: 'skipped', reason: 'missed' },
    { slot: newest, outcome: 'fired' },
  ])
})

test('a machine that slept for a week skips slots that are too old, and continues with the next one', async () => {
  await open()
  const workflow = await scene.create(hourly)
  const newest = jump(7 * 24, 10 * 60_000)
  expect(await slotsWhen(workflow, 1)).toMatchObject([{ lastSlot: newest, count: 7 * 24, reason: 'missed' }])
  const next = jump(1)
  expect((await slotsWhen(workflow, 2))[1]).toMatchObject({ slot: next, outcome: 'fired' })
})

test('a clock set back fires no slot a second time', async () => {
  let looks = 0
  const wrapStore = (store: Store): Store => ({
    ...store,
    listDueWorkflows: input => {
      looks += 1
      return store.listDueWorkflows(input)
    },
  })
  await open({ wrapStore })
  // The scheduler has handled this instant once it starts its second run.
  const look = async (): Promise<void> => {
    const before = looks
    const again = async (): Promise<number> => {
      scene.wake()
      return looks
    }
    await until(again, count => count >= before + 2, 'the scheduler to look')
  }
  const workflow = await scene.create({ schedule: { ...hourly.schedule, overlap: 'allow' } })
  const fired = jump(3)
  await slotsWhen(workflow, 2)
  clock.shift -= 3 * HOUR
  await look()
  for (let hour = 1; hour <= 3; hour++) {
    jump(1)
    await look()
  }
  const next = jump(1)
  const slots = await until(
    () => scene.slotsOf(workflow),
    all => all.at(-1)!.slot === next,
    'the next slot',
  )
  expect(slots.filter(({ outcome }) => outcome === 'fired').map(({ slot }) => slot)).toEqual([fired, next])
})

test('slots that pass while a workflow is paused are recorded and never caught up', async () => {
  await open()
  const workflow = await scene.create({ schedule: { intervals: [{ every: '1h' }], catch_up: '1d' } })
  await scene.workflows.pause({ workspace, workflow })
  const first = jump(1)
  await slotsWhen(workflow, 1)
  jump(1)
  // Nobody has seen these when it is resumed: the clock moves and no scheduler has looked.
  const last = Math.floor(clock.now() / HOUR) * HOUR + 2 * HOUR
  await until(
    () => scene.slotsOf(workflow),
    slots => slots[0]?.count === 2,
    'two slots in one row',
  )
  clock.shift += last + 50 - clock.now()
  await scene.workflows.resume({ workspace, workflow })
  expect(await scene.slotsOf(workflow)).toMatchObject([
    { slot: first, lastSlot: last, count: 4, outcome: 'skipped', reason: 'paused' },
  ])
  const next = jump(1)
  expect((await slotsWhen(workflow, 2))[1]).toMatchObject({ slot: next, outcome: 'fired' })
})

test('no automatic run follows a termination; resumed, the schedule goes on from then', async () => {
  await open()
  const workflow = await scene.create(hourly)
  const target = { workspace, workflow }
  expect((await scene.workflows.terminate({ ...target, graceMs: null })).nextRunAt).toBe(null)
  jump(3)
  await scene.runEnded(await scene.trigger(workflow))
  expect(await scene.slotsOf(workflow)).toEqual([])
  expect((await scene.workflows.resume(target)).nextRunAt).toBe(Math.ceil(clock.now() / HOUR) * HOUR)
  const next = jump(1)
  expect(await slotsWhen(workflow, 1)).toMatchObject([{ slot: next, outcome: 'fired' }])
})

test('manual runs do not change the schedule and ignore open runs', async () => {
  const gate = createGate()
  await open({ script: gate.script })
  const workflow = await scene.create(hourly)
  const { nextRunAt } = (await scene.store.getWorkflow({ workspace, workflow }))!
  const runs = [await scene.trigger(workflow), await scene.trigger(workflow)]
  for (const runId of runs) await scene.untilRun(runId, ({ counts }) => counts.running === 1)
  expect((await scene.store.getWorkflow({ workspace, workflow }))!.nextRunAt).toBe(nextRunAt)
})

test.each(['skip', 'allow', 'queue_one', 'cancel_previous'] as const)(
  'a slot whose workflow has an open run follows the policy %s',
  async overlap => {
    const gate = createGate()
    await open({ script: gate.script })
    const workflow = await scene.create({ schedule: { intervals: [{ every: '1h' }], overlap } })
    const fired: string[] = []
    for (let count = 1; count <= 3; count++) {
      jump(1)
      const slots = await until(
        () => scene.slotsOf(workflow),
        all => all.reduce((sum, slot) => sum + slot.count, 0) === count,
        'slots',
      )
      if (slots.at(-1)!.runId !== null) fired.push(slots.at(-1)!.runId!)
      await scene.untilRun(fired[0]!, ({ counts }) => counts.running + counts.cancelled > 0)
    }
    const runs = async () => (await scene.runsOf(workflow)).map(({ status, statusReason }) => [status, statusReason])
    const expected = {
      skip: [['running', null]],
      allow: [
        ['running', null],
        ['running', null],
        ['running', null],
      ],
      queue_one: [
        ['running', null],
        ['pending', 'waiting_for_run'],
      ],
      cancel_previous: [
        ['terminated', 'replaced'],
        ['terminated', 'replaced'],
        ['running', null],
      ],
    }[overlap]
    expect(await until(runs, found => JSON.stringify(found) === JSON.stringify(expected), 'runs')).toEqual(expected)
    const skipped = (await scene.slotsOf(workflow)).filter(({ outcome }) => outcome === 'skipped')
    expect(skipped.reduce((sum, { count }) => sum + count, 0)).toBe(3 - expected.length)
    for (const slot of skipped) expect(slot.reason).toBe('overlap')
  },
)

test('a run that waits for an earlier one starts when that ends', async () => {
  const gate = createGate()
  await open({ script: gate.script })
  const workflow = await scene.create({ schedule: { intervals: [{ every: '1h' }], overlap: 'queue_one' } })
  jump(1)
  await slotsWhen(workflow, 1)
  jump(1)
  const [first, second] = (await slotsWhen(workflow, 2)).map(slot => slot.runId!)
  await scene.untilRun(first!, ({ counts }) => counts.running === 1 && gate.running === 1)
  gate.releaseAll()
  await scene.untilRun(second!, ({ counts }) => counts.running === 1 && gate.running === 1)
  gate.releaseAll()
  expect(await scene.runEnded(second!)).toMatchObject({ status: 'completed' })
})

test('a workflow whose function is missing has invalid slots and does not stop other workflows', async () => {
  await open()
  const gone = await scene.create({ name: 'gone', payload: [{ api: 'scrape' }], ...hourly })
  const sound = await scene.create({ name: 'sound', ...hourly })
  functions.delete('scrape')
  const slot = jump(1)
  expect(await slotsWhen(gone, 1)).toMatchObject([{ slot, outcome: 'skipped', reason: 'invalid' }])
  expect(await slotsWhen(sound, 1)).toMatchObject([{ slot, outcome: 'fired' }])
  functions.add('scrape')
  jump(1)
  expect((await slotsWhen(gone, 2))[1]).toMatchObject({ outcome: 'fired' })
})

test('a workflow that the store cannot fire does not stop other workflows', async () => {
  let poisoned = ''
  const wrapStore = (store: Store): Store => ({
    ...store,
    fireWorkflows: async fires => {
      if (fires.some(({ workflowId }) => workflowId === poisoned)) throw new Error('the row cannot be read')
      return store.fireWorkflows(fires)
    },
  })
  await open({ wrapStore })
  poisoned = await scene.create({ name: 'poisoned', ...hourly })
  const sound = await scene.create({ name: 'sound', ...hourly })
  const slot = jump(1)
  expect(await slotsWhen(sound, 1)).toMatchObject([{ slot, outcome: 'fired' }])
  expect(await scene.slotsOf(poisoned)).toEqual([])
})

test('slots that come due while the database is gone run when it is back', async () => {
  let isGone = false
  let refused = 0
  const refuse = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!isGone) return call()
    refused += 1
    throw new Error('gone')
  }
  const wrapStore = (store: Store): Store => ({
    ...store,
    listDueWorkflows: input => refuse(() => store.listDueWorkflows(input)),
    fireWorkflows: fires => refuse(() => store.fireWorkflows(fires)),
    ping: () => refuse(() => store.ping()),
  })
  await open({ wrapStore })
  const workflow = await scene.create(hourly)
  isGone = true
  const slot = jump(1)
  await until(
    async () => refused,
    count => count > 0,
    'the scheduler to find it gone',
  )
  clock.shift += 50_000 // nearly a minute of it
  isGone = false
  expect(await slotsWhen(workflow, 1)).toMatchObject([{ slot, count: 1, outcome: 'fired' }])
})

test('two schedulers fire each slot once', async () => {
  await open()
  const { store } = scene
  // The second engine uses the same store, so that both race for every slot.
  const shared = (): Store => ({ ...store, close: async () => {} })
  const second = await openScene({ script: async () => done, clock, wrapStore: shared })
  others.push(second)
  const names = Array.from({ length: 20 }, (_, index) => `workflow ${index}`)
  const ids = await Promise.all(names.map(name => scene.create({ name, ...hourly })))
  for (let count = 1; count <= 3; count++) {
    jump(1)
    second.wake()
    for (const id of ids) await scene.runEnded((await slotsWhen(id, count)).at(-1)!.runId!)
  }
  for (const id of ids) {
    const fired = (await scene.slotsOf(id)).map(({ slot, outcome }) => `${outcome} ${slot}`)
    expect(new Set(fired).size).toBe(3)
    expect(await scene.runsOf(id)).toHaveLength(3)
  }
})

test('a changed schedule applies from then on', async () => {
  await open()
  const workflow = await scene.create(hourly)
  const definition = {
    name: 'test',
    payload: [{ command: 'x' }],
    schedule: { intervals: [{ every: '2h', offset: '30m' }] },
  }
  const changed = await scene.workflows.replace({ author: SUBMITTER, workflow, definition })
  const next = changed.workflow.nextRunAt!
  expect((next - HOUR / 2) % (2 * HOUR)).toBe(0)
  clock.shift += next + 50 - clock.now()
  scene.wake()
  const slots = await slotsWhen(workflow, 1)
  expect(slots).toMatchObject([{ slot: next, outcome: 'fired' }])
  expect(await scene.run(slots[0]!.runId!)).toMatchObject({ workflowVersion: 2 })
})

test('a workflow whose schedule has ended can be changed, but not given a schedule in the past', async () => {
  await open()
  const day = new Date(clock.now() + 24 * HOUR).toISOString()
  const schedule = { intervals: [{ every: '1h' }], end_at: day }
  const workflow = await scene.create({ schedule })
  clock.shift += 48 * HOUR
  const replace = (definition: object) =>
    scene.workflows.replace({ author: SUBMITTER, workflow, definition: { name: 'test', ...definition } })
  expect(await replace({ payload: [{ command: 'y' }], schedule })).toMatchObject({ workflow: { version: 2 } })
  const over = { ...schedule, intervals: [{ every: '2h' }] }
  expect(await codeOf(replace({ payload: [{ command: 'y' }], schedule: over }))).toBe('schedule_never_fires')
})
