import { afterAll, expect, test } from 'vitest'
import { acceptAnotherKey, removeDataDirs, SUBMITTER } from '../harness.ts'
import { createGate, done, openScene, type Scene, ShiftedClock, until } from './scene.ts'

afterAll(removeDataDirs)

const HOUR = 3_600_000

/** Once there are any. */
const slotsSeen = (scene: Scene, workflow: string) =>
  until(
    () => scene.slotsOf(workflow),
    slots => slots.length > 0,
    'slots',
  )

test('a run continues after its server was stopped and started again', async () => {
  const gate = createGate()
  const before = await openScene({ script: gate.script })
  const workflow = await before.create({
    payload: [{ command: 'a' }, { command: 'b' }, { command: 'c' }],
    configuration: { max_concurrent_requests: 2 },
  })
  const runId = await before.trigger(workflow)
  await before.untilRun(runId, ({ counts }) => counts.running === 2 && gate.running === 2)
  gate.release((await before.items(runId))[0]!.id)
  await before.untilRun(runId, ({ counts }) => counts.completed === 1)
  await before.close()
  const after = await openScene({ script: async () => done, dataDir: before.dataDir })
  expect(await after.runEnded(runId)).toMatchObject({ status: 'completed', counts: { completed: 3 } })
  await after.close()
})

test('slots missed while the server was down follow catch_up when it is back', async () => {
  const clock = new ShiftedClock()
  const before = await openScene({ script: async () => done, clock })
  const schedule = { intervals: [{ every: '1h' }] }
  const patient = await before.create({ name: 'patient', schedule: { ...schedule, catch_up: '1d' } })
  const strict = await before.create({ name: 'strict', schedule })
  await before.close()
  const newest = Math.floor(clock.now() / HOUR) * HOUR + 4 * HOUR
  clock.shift += newest + HOUR / 2 - clock.now()
  const after = await openScene({ script: async () => done, clock, dataDir: before.dataDir })
  expect(await slotsSeen(after, patient)).toMatchObject([
    { lastSlot: newest - HOUR, count: 3, outcome: 'skipped', reason: 'missed' },
    { slot: newest, outcome: 'fired' },
  ])
  expect(await slotsSeen(after, strict)).toMatchObject([
    { lastSlot: newest, count: 4, outcome: 'skipped', reason: 'missed' },
  ])
  await after.close()
})

test('with a wrong secret key slots wait, and fire once the key is back', async () => {
  const clock = new ShiftedClock()
  const before = await openScene({ script: async () => done, clock, secretKey: 'one' })
  const schedule = { intervals: [{ every: '1h' }], catch_up: '1d' }
  const sealed = await before.create({ name: 'sealed', schedule, environment: { A_TOKEN: 'secret-one' } })
  await before.close()
  clock.shift += HOUR
  const without = await openScene({ script: async () => done, clock, secretKey: 'two', dataDir: before.dataDir })
  const trigger = without.workflows.trigger({ caller: SUBMITTER, workflow: sealed })
  await expect(trigger).rejects.toThrow('MILLRACE_SECRET_KEY')
  expect(await without.slotsOf(sealed)).toEqual([])
  await without.close()
  const after = await openScene({ script: async () => done, clock, secretKey: 'one', dataDir: before.dataDir })
  expect(await slotsSeen(after, sealed)).toMatchObject([{ outcome: 'fired' }])
  await after.close()
})

test('once another secret key is accepted, slots of a workflow with secrets are invalid, and other workflows fire', async () => {
  const clock = new ShiftedClock()
  const before = await openScene({ script: async () => done, clock, secretKey: 'one' })
  const schedule = { intervals: [{ every: '1h' }], catch_up: '1d' }
  const sealed = await before.create({ name: 'sealed', schedule, environment: { A_TOKEN: 'secret-one' } })
  const open = await before.create({ name: 'open', schedule })
  await before.close()
  acceptAnotherKey(before.dataDir)
  clock.shift += HOUR
  const after = await openScene({ script: async () => done, clock, secretKey: 'two', dataDir: before.dataDir })
  expect(await slotsSeen(after, open)).toMatchObject([{ outcome: 'fired' }])
  expect(await slotsSeen(after, sealed)).toMatchObject([{ outcome: 'skipped', reason: 'invalid' }])
  await expect(after.workflows.trigger({ caller: SUBMITTER, workflow: sealed })).rejects.toThrow('MILLRACE_SECRET_KEY')
  await after.close()
})
