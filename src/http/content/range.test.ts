import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRange } from './range.ts'

describe('a Range header', () => {
  test.each([
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=2-', 10, { start: 2, end: 9 }],
    ['bytes=2-500', 10, { start: 2, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['Bytes= 1-2 ', 10, { start: 1, end: 2 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, null],
    ['bytes=-1', 0, null],
    ['bytes=99999999999999999999-', 10, 'unsatisfiable'],
    [undefined, 10, null],
    ['', 10, null],
    ['bytes=', 10, null],
    ['bytes=-', 10, null],
    ['bytes=5-2', 10, null],
    ['bytes=0-1,3-4', 10, null],
    [`bytes=${Array.from({ length: 10_000 }, () => '0-').join(',')}`, 10, null],
    [`bytes=${'9'.repeat(10_000)}-${'9'.repeat(10_000)}`, 10, 'unsatisfiable'],
    [`bytes=-${'9'.repeat(10_000)}`, 10, { start: 0, end: 9 }],
    ['bytes=a-b', 10, null],
    ['lines=0-1', 10, null],
  ])('%s of %i bytes', (header, size, expected) => {
    expect(parseRange(header, size)).toEqual(expected)
  })

  test('never leaves the content, whatever it says', () => {
    const edge = fc.option(fc.nat(200), { nil: '' })
    fc.assert(
      fc.property(edge, edge, fc.nat(100), (first, last, size) => {
        const range = parseRange(`bytes=${first}-${last}`, size)
        if (range === null || range === 'unsatisfiable') return
        expect(range.start).toBeGreaterThanOrEqual(0)
        expect(range.start).toBeLessThanOrEqual(range.end)
        expect(range.end).toBeLessThan(size)
      }),
    )
  })
})
