import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './quantity.ts'

test.each([
  ['500', 500],
  ['0', 0],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1h 30m', 5_400_000],
  ['2 days', 172_800_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['1 Week', 604_800_000],
  [' 10 minutes ', 600_000],
  ['1y', 31_557_600_000],
])('the duration %j is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', ' ', 'soon', '5 parsecs', '-5m', '5m-', '1h30', 'm', '1e3', 'Infinity', 'NaN', '9'.repeat(400), '9e9y'])(
  'the duration %j is refused with a valid form',
  text => {
    expect(() => parseDuration(text)).toThrow('a duration such as')
  },
)

test('a duration of several units is their sum', () => {
  const part = fc.nat({ max: 1000 })
  fc.assert(
    fc.property(part, part, part, (hours, minutes, seconds) => {
      const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000
      expect(parseDuration(`${hours}h${minutes}m${seconds}s`)).toBe(ms)
      expect(parseDuration(`${hours} hours ${minutes} min ${seconds} sec`)).toBe(ms)
    }),
  )
})

test.each([
  ['0', 0],
  ['1048576', 1_048_576],
  ['256MiB', 268_435_456],
  ['1 GB', 1_000_000_000],
  ['1.5kib', 1536],
  ['10B', 10],
])('the size %j is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each(['', 'big', '5 bits', '-1', '1e9', '0x10', '99999999 TiB', 'MiB'])(
  'the size %j is refused with a valid form',
  text => {
    expect(() => parseSize(text)).toThrow('a size such as')
  },
)
