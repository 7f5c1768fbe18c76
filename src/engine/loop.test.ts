import { setImmediate as tick } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { type Logger, silentLogger } from '../kernel/logger.ts'
import { createLoop, type Loop, type LoopOptions } from './loop.ts'

const HOUR = 3_600_000
const started: Loop[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map(loop => loop.stop()))
})

const startLoop = (options: Partial<LoopOptions> & Pick<LoopOptions, 'runOnce'>): Loop => {
  const loop = createLoop({ name: 'test', intervalMs: HOUR, logger: silentLogger, clock: systemClock, ...options })
  started.push(loop)
  loop.start()
  return loop
}

const counter = () => {
  const count = { runs: 0 }
  const runOnce = async () => {
    count.runs += 1
    return null
  }
  return { count, runOnce }
}

/** A run that lasts until it is aborted. */
const heldRun = () => {
  const state = { runs: 0, live: 0, most: 0, release: () => {} }
  const runOnce = async () => {
    state.runs += 1
    state.live += 1
    state.most = Math.max(state.most, state.live)
    await new Promise<void>(resolve => {
      state.release = resolve
    })
    state.live -= 1
    return null
  }
  return { state, runOnce }
}

test('the first run starts at once, and later ones follow at the interval', async () => {
  const { count, runOnce } = counter()
  startLoop({ intervalMs: 5, runOnce })
  await expect.poll(() => count.runs).toBeGreaterThan(3)
})

test('many wakes together cause one run', async () => {
  const { count, runOnce } = counter()
  const loop = startLoop({ runOnce })
  await expect.poll(() => count.runs).toBe(1)
  await tick()
  for (let i = 0; i < 100; i++) loop.wake()
  await expect.poll(() => count.runs).toBe(2)
  await tick()
  expect(count.runs).toBe(2)
})

test('wakes during a run cause one more run after it, never beside it', async () => {
  const { state, runOnce } = heldRun()
  const loop = startLoop({ runOnce })
  await expect.poll(() => state.runs).toBe(1)
  loop.wake()
  loop.wake()
  await tick()
  expect(state.runs).toBe(1)
  state.release()
  await expect.poll(() => state.runs).toBe(2)
  state.release()
  await expect.poll(() => state.live).toBe(0)
  await tick()
  expect([state.runs, state.most]).toEqual([2, 1])
})

test('a run that asks for another one at once does not wait for the interval', async () => {
  let runs = 0
  startLoop({ runOnce: async () => (++runs < 5 ? 0 : null) })
  await expect.poll(() => runs).toBe(5)
})

test('stop aborts the current run, waits for it, and nothing runs after it', async () => {
  let runs = 0
  let ended = false
  const loop = startLoop({
    intervalMs: 1,
    runOnce: async signal => {
      runs += 1
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      await tick()
      ended = true
      return 0
    },
  })
  await expect.poll(() => runs).toBe(1)
  await Promise.all([loop.stop(), loop.stop()])
  expect(ended).toBe(true)
  loop.wake()
  loop.start()
  await tick()
  expect(runs).toBe(1)
})

test('a loop stopped right after its start never runs', async () => {
  const { count, runOnce } = counter()
  const loop = startLoop({ runOnce })
  await loop.stop()
  await tick()
  expect(count.runs).toBe(0)
})

test('a fault is logged and retried after a growing wait that wakes do not shorten', async () => {
  const logged: { faults: number }[] = []
  const told: [object, string][] = []
  const logger = {
    error: (fields: { faults: number }) => logged.push(fields),
    info: (fields: object, text: string) => told.push([fields, text]),
  } as unknown as Logger
  let monotonic = 0
  const clock = { now: () => 0, monotonic: () => monotonic }
  let runs = 0
  const loop = startLoop({
    logger,
    clock,
    runOnce: async () => {
      runs += 1
      if (runs < 3) throw new Error('the database is away')
      return null
    },
  })
  await expect.poll(() => logged.length).toBe(1)
  for (let i = 0; i < 10; i++) {
    loop.wake()
    await tick()
  }
  expect(runs).toBe(1)
  monotonic = 250
  loop.wake()
  await expect.poll(() => logged.map(entry => entry.faults)).toEqual([1, 2])
  monotonic = 250 + 499
  loop.wake()
  await tick()
  expect(runs).toBe(2)
  monotonic = 250 + 500
  loop.wake()
  await expect.poll(() => runs).toBe(3)
  await expect.poll(() => told).toEqual([[{ loop: 'test', faults: 2 }, 'test works again']])
})
