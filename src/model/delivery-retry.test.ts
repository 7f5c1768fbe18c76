import { expect, test } from 'vitest'
import { deliveryRetry } from './delivery-retry.ts'

const HOUR = 3_600_000

test('a wait is as long as the time tried so far, between a second and an hour', () => {
  const longest = (triedForMs: number) => deliveryRetry({ triedForMs, tries: 3, random: 1 })
  expect([0, 5_000, 60_000, HOUR, 20 * HOUR].map(longest)).toEqual([5_000, 5_000, 60_000, HOUR, HOUR])
  expect(deliveryRetry({ triedForMs: HOUR, tries: 3, random: 0 })).toBe(1_000)
  expect(deliveryRetry({ triedForMs: -HOUR, tries: 3, random: 0.5 })).toBe(3_000)
})

test('a delivery is given up after a day, but not after few tries because the clock jumped', () => {
  expect(deliveryRetry({ triedForMs: 24 * HOUR - 1, tries: 50, random: 0.5 })).not.toBe(null)
  expect(deliveryRetry({ triedForMs: 24 * HOUR, tries: 50, random: 0.5 })).toBe(null)
  expect(deliveryRetry({ triedForMs: 24 * HOUR, tries: 7, random: 0.5 })).toBe(HOUR / 2 + 500)
})

test('a receiver that is away for a day is tried some dozens of times, soon at first', () => {
  let elapsed = 0
  let tries = 1
  let inFirstMinute = 1
  for (let random = 0.3; ; random = (random * 7.13) % 1) {
    const wait = deliveryRetry({ triedForMs: elapsed, tries, random })
    if (wait === null) break
    elapsed += wait
    tries += 1
    if (elapsed < 60_000) inFirstMinute += 1
  }
  expect(elapsed).toBeGreaterThanOrEqual(24 * HOUR)
  expect(tries).toBeGreaterThan(30)
  expect(tries).toBeLessThan(150)
  expect(inFirstMinute).toBeGreaterThan(4)
})
