import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toTimestamp } from './clock.ts'

const LATEST_MS = 8.64e15

test('a time is written as Date writes it, even if the previous one was near', () => {
  const near = fc.tuple(fc.integer({ min: -LATEST_MS, max: LATEST_MS }), fc.integer({ min: -2000, max: 2000 }))
  fc.assert(
    fc.property(near, ([ms, distance]) => {
      for (const time of [ms, ms + distance, ms + 0.5])
        if (Math.abs(time) <= LATEST_MS) expect(toTimestamp(time)).toBe(new Date(time).toISOString())
    }),
    { examples: [[[0, -1]], [[-1, 1]], [[1_795_951_999_999, 1]], [[253_402_300_799_999, 1]]] },
  )
})

test.each([Number.NaN, LATEST_MS + 1000])('%s is not a valid time', time => {
  expect(() => toTimestamp(time)).toThrow(RangeError)
})
