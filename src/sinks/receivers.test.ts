import { expect, test, vi } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { createReceivers } from './receivers.ts'

const bounds = { atOnce: 2, mostWaiting: 2, patienceMs: 1_000, clock: systemClock }
const QUICK = { tookMs: 10 }
const SLOW = { tookMs: 15_000 }

const settled = async (promise: Promise<boolean>): Promise<boolean | 'waits'> => {
  for (let i = 0; i < 5; i++) await null
  return Promise.race([promise, Promise.resolve('waits' as const)])
}

test('a limited number of deliveries go to a host at once, a few more wait, and other hosts are not affected', async () => {
  const receivers = createReceivers(bounds)
  expect([await receivers.enter('a'), await receivers.enter('a')]).toEqual([true, true])
  const third = receivers.enter('a')
  expect(await settled(third)).toBe('waits')
  expect(receivers.waiting).toBe(1)
  expect(await receivers.enter('b')).toBe(true)
  const fourth = receivers.enter('a')
  expect(await settled(receivers.enter('a'))).toBe(false)
  receivers.leave('a', QUICK)
  receivers.leave('a', QUICK)
  expect([await third, await fourth]).toEqual([true, true])
  expect(receivers.waiting).toBe(0)
})

test('a delivery that waits too long, or for a host that ends nothing for two seconds, is sent back', async () => {
  vi.useFakeTimers()
  try {
    const receivers = createReceivers(bounds)
    await receivers.enter('a')
    await receivers.enter('a')
    const third = receivers.enter('a')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await third).toBe(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await settled(receivers.enter('a'))).toBe(false)
    receivers.leave('a', QUICK)
    expect(await settled(receivers.enter('a'))).toBe(true)
    expect(await settled(receivers.enter('a'))).toBe('waits')
    await vi.advanceTimersByTimeAsync(1_000)
  } finally {
    vi.useRealTimers()
  }
})

test('after three slow ends in a row nothing waits for the host until one is quick', async () => {
  const receivers = createReceivers({ ...bounds, atOnce: 10 })
  for (let i = 0; i < 10; i++) expect(await receivers.enter('a')).toBe(true)
  const waiting = receivers.enter('a')
  for (let i = 0; i < 3; i++) receivers.leave('a', SLOW)
  expect(await waiting).toBe(true) // the first end let it in, the host was not known to be slow then
  expect(await settled(receivers.enter('a'))).toBe(false)
  for (let i = 0; i < 4; i++) receivers.leave('a', SLOW)
  expect(await settled(receivers.enter('a'))).toBe(false) // four are under way
  receivers.leave('a', SLOW)
  expect(await settled(receivers.enter('a'))).toBe(true)
  receivers.leave('a', QUICK)
  for (let i = 0; i < 6; i++) expect(await settled(receivers.enter('a'))).toBe(true)
})
