import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration, parseSize } from '../../kernel/quantity.ts'
import { durationSetting, sizeSetting } from './setting-text.ts'

test('durations and sizes are written as they are in a configuration', () => {
  expect([0, 250, 30_000, 5_400_000, 2_592_000_000].map(durationSetting)).toEqual(['0', '250ms', '30s', '1h30m', '30d'])
  expect([0, 1000, 16 * 1024 ** 2, 32 * 1024 ** 3, 1536].map(sizeSetting)).toEqual([
    '0',
    '1000',
    '16MiB',
    '32GiB',
    '1536',
  ])
})

test('a written value is read back as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), value => {
      expect(parseDuration(durationSetting(value))).toBe(value)
      expect(parseSize(sizeSetting(value))).toBe(value)
    }),
  )
})
