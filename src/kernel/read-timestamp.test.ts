import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTimestamp } from './read-timestamp.ts'

const time = (text: string): number => {
  const read = readTimestamp(text)
  if (read.type === 'wrong') throw new Error(`${text} ${read.message}`)
  return read.epochMs
}

const two = (number: number): string => String(number).padStart(2, '0')
const year = fc.oneof(fc.integer({ min: 1, max: 9998 }), fc.constantFrom(1900, 2000, 2024, 2027, 2100))
const upTo = (max: number) => fc.nat({ max })

describe('a time of RFC 3339', () => {
  test.each([
    ['2026-11-21T09:00:00Z', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21t09:00:00z', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21T09:00:00.123456789Z', '2026-11-21T09:00:00.123Z'],
    ['2026-11-21T09:00:00+05:30', '2026-11-21T03:30:00.000Z'],
    ['2026-11-21T09:00:00-00:00', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21T00:00:00+23:59', '2026-11-20T00:01:00.000Z'],
    ['2028-02-29T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59Z', '2000-02-29T23:59:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    // The examples of section 5.8.
    ['1985-04-12T23:20:50.52Z', '1985-04-12T23:20:50.520Z'],
    ['1996-12-19T16:39:57-08:00', '1996-12-20T00:39:57.000Z'],
    ['1990-12-31T23:59:60Z', '1991-01-01T00:00:00.000Z'],
    ['1990-12-31T15:59:60-08:00', '1991-01-01T00:00:00.000Z'],
    ['1937-01-01T12:00:27.87+00:20', '1937-01-01T11:40:27.870Z'],
    ['2016-12-31T23:59:60.75Z', '2017-01-01T00:00:00.750Z'],
    ['2028-02-29T23:59:60Z', '2028-03-01T00:00:00.000Z'],
    ['2027-07-01T05:29:60+05:30', '2027-07-01T00:00:00.000Z'],
  ])('%s is read', (text, expected) => {
    expect(new Date(time(text)).toISOString()).toBe(expected)
  })

  test.each([
    ['2027-02-31T00:00:00Z', /2027-02 has days 01 to 28/],
    ['2027-02-29T00:00:00Z', /2027-02 has days 01 to 28/],
    ['2028-02-30T00:00:00Z', /2028-02 has days 01 to 29/],
    ['2100-02-29T00:00:00Z', /2100-02 has days 01 to 28/],
    ['2027-04-31T00:00:00Z', /2027-04 has days 01 to 30/],
    ['2027-01-32T00:00:00Z', /2027-01 has days 01 to 31/],
    ['2027-01-00T00:00:00Z', /2027-01 has days 01 to 31/],
    ['2027-13-01T00:00:00Z', /months are 01 to 12/],
    ['2027-00-01T00:00:00Z', /months are 01 to 12/],
    ['2027-01-01T24:00:00Z', /hours are 00 to 23.*00:00:00 of the next/],
    ['2027-01-01T25:00:00Z', /hours are 00 to 23/],
    ['2027-01-01T00:60:00Z', /minutes are 00 to 59/],
    ['2027-01-01T00:00:61Z', /seconds are 00 to 59/],
    ['2027-01-01T00:00:00+24:00', /offsets are -23:59 to \+23:59/],
    ['2027-01-01T00:00:00-01:60', /offsets are/],
    ['2027-01-01T00:00:60Z', /leap second, at 23:59:60Z on the last day of a month/],
    ['2027-01-15T23:59:60Z', /leap second/],
    ['2027-01-31T23:59:60+01:00', /leap second/],
    ['2027-01-31T22:59:60Z', /leap second/],
    ['2027-01-31', / such as 2026-11-21T09:00:00Z/],
    ['2027-01-31 00:00:00Z', / such as/],
    ['2027-01-31T00:00Z', / such as/],
    ['2027-01-31T00:00:00', / such as/],
    ['2027-01-31T00:00:00.Z', / such as/],
    ['2027-01-31T00:00:00+0100', / such as/],
    ['2027-1-31T00:00:00Z', / such as/],
    ['+02027-01-31T00:00:00Z', / such as/],
    ['2027-01-31T00:00:00Z\n', / such as/],
    ['tomorrow', / such as/],
    ['', / such as/],
  ])('%j is refused', (text, message) => {
    expect(readTimestamp(text)).toEqual({ type: 'wrong', message: expect.stringMatching(/^must be an RFC 3339 time/) })
    expect(readTimestamp(text)).toEqual({ type: 'wrong', message: expect.stringMatching(message) })
  })

  test('is read exactly if it exists in the calendar', () => {
    fc.assert(
      fc.property(year, upTo(14), upTo(33), upTo(26), upTo(61), upTo(59), (y, month, day, hour, minute, second) => {
        const text = `${String(y).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`
        const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second))
        date.setUTCFullYear(y, month - 1, day)
        const exists = date.toISOString() === `${text}.000Z`
        const read = readTimestamp(`${text}Z`)
        expect(read.type).toBe(exists ? 'time' : 'wrong')
        if (exists) expect(read).toEqual({ type: 'time', epochMs: date.getTime() })
      }),
      { numRuns: 5000 },
    )
  })

  test('means the same with every offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -1439, max: 1439 }), (epochMs, minutes) => {
        const local = new Date(epochMs + minutes * 60_000).toISOString().slice(0, -1)
        const offset = `${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
        expect(time(`${local}${minutes < 0 ? '-' : '+'}${offset}`)).toBe(epochMs)
      }),
    )
  })
})
