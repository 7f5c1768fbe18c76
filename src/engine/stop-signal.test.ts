import { expect, test } from 'vitest'
import { createStopSignal } from './stop-signal.ts'

const clockAt = (start: number) => {
  let time = start
  return { now: () => time, monotonic: () => time, advance: (milliseconds: number) => (time += milliseconds) }
}

test('the first cause wins, and a later call can only shorten the grace period', () => {
  const clock = clockAt(1000)
  const stop = createStopSignal(clock)
  const killTimes: number[] = []
  stop.onChange(() => killTimes.push(stop.killAt))
  stop.stop('timeout', 10_000)
  stop.stop('cancelled_by_user', 20_000)
  clock.advance(100)
  stop.stop('cancelled_by_user', 500)
  expect(stop.cause).toBe('timeout')
  expect(stop.signal.reason).toBe('timeout')
  expect(killTimes).toEqual([11_000, 1600])
})

test('a listener that has unsubscribed is not called', () => {
  const stop = createStopSignal(clockAt(0))
  let heard = 0
  stop.onChange(() => (heard += 1))()
  stop.stop('shutdown', 0)
  expect(heard).toBe(0)
  expect(stop.signal.aborted).toBe(true)
})
