import { afterAll, afterEach, expect, test } from 'vitest'
import type { ExecutionContext } from '../../src/executors/executor.ts'
import { removeDataDirs, startEngine, type TestEngine } from './harness.ts'

let engine: TestEngine
let gate = Promise.withResolvers<void>()
let busy = 0
let mostBusy = 0

afterEach(async () => {
  gate.resolve()
  await engine.close()
})
afterAll(removeDataDirs)

/** Jobs named `waits` wait for the gate without their slot, then they work as all others do. */
const open = async (options: { dataDir?: string; formerWorkers?: readonly string[] } = {}): Promise<void> => {
  gate = Promise.withResolvers<void>()
  busy = 0
  mostBusy = 0
  engine = await startEngine({
    ...options,
    settings: { 'max-workers': '2', 'shutdown-grace': '0s' },
    script: async (job, context) => {
      if (job.name === 'waits') await context.lendSlot(() => gateOrStop(context))
      if (context.stop.cause !== null) return { type: 'stopped' }
      busy += 1
      mostBusy = Math.max(mostBusy, busy)
      await new Promise(resolve => setTimeout(resolve, 5))
      busy -= 1
      return { type: 'completed' }
    },
  })
}

const gateOrStop = ({ stop }: ExecutionContext): Promise<void> =>
  new Promise(resolve => {
    void gate.promise.then(resolve)
    if (stop.cause !== null) resolve()
    stop.onChange(resolve)
  })

const names = (name: string, count: number) => Array.from({ length: count }, () => ({ name }))
const running = (id: string) => engine.until(id, job => job.status === 'running')

test('many jobs that wait without a slot block no others, and each gets a slot to continue', async () => {
  await open()
  const waiting = await engine.submit(...names('waits', 20))
  for (const id of waiting) await running(id)
  const working = await engine.submit(...names('works', 20))
  for (const id of working) expect((await engine.ended(id)).status).toBe('completed')
  for (const id of waiting) expect((await engine.get(id)).status).toBe('running')
  gate.resolve()
  const more = await engine.submit(...names('works', 20))
  for (const id of [...waiting, ...more]) expect((await engine.ended(id)).status).toBe('completed')
  expect(mostBusy).toBe(2)
})

test('a job that waits without a slot is cancelled at once', async () => {
  await open()
  const [id] = await engine.submit({ name: 'waits' })
  await running(id!)
  await engine.store.cancelJob({ workspace: 'default', jobId: id!, reason: 'cancelled_by_user', graceMs: null })
  expect((await engine.ended(id!)).status).toBe('cancelled')
  const [next] = await engine.submit({ name: 'works' })
  expect((await engine.ended(next!)).status).toBe('completed')
})

test('a job that waits without a slot is put back at a shutdown, and run by the next server', async () => {
  await open()
  const { dataDir } = engine
  const ids = await engine.submit(...names('waits', 5))
  for (const id of ids) await running(id)
  const former = engine.engine.workerId
  await engine.close()
  await open({ dataDir, formerWorkers: [former] })
  for (const id of ids) expect(await running(id)).toMatchObject({ attempt: 2, userFailures: 0, systemFailures: 0 })
  gate.resolve()
  for (const id of ids) expect((await engine.ended(id)).status).toBe('completed')
})
