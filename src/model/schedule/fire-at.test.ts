import { expect, test } from 'vitest'
import { jitterShare } from './fire-at.ts'

test('the jitter share of a slot is constant, and differs for another slot or workflow', () => {
  expect(jitterShare('a', 60_000)).toBe(jitterShare('a', 60_000))
  const shares = new Set(['a', 'b', 'c'].flatMap(id => [0, 60_000, 120_000].map(slot => jitterShare(id, slot))))
  expect(shares.size).toBe(9)
})

test('the jitter shares of adjacent slots are spread evenly from 0 to 1', () => {
  const tenths = new Array<number>(10).fill(0)
  for (let index = 0; index < 10_000; index++) {
    const share = jitterShare('0192d3a0-0000-7000-8000-000000000001', index * 60_000)
    expect(share).toBeGreaterThanOrEqual(0)
    expect(share).toBeLessThan(1)
    tenths[Math.floor(share * 10)]!++
  }
  expect(Math.min(...tenths)).toBeGreaterThan(850)
  expect(Math.max(...tenths)).toBeLessThan(1150)
})
