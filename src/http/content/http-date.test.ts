import { expect, test } from 'vitest'
import { parseHttpDate, toHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 10, 29)
const TIME = Date.UTC(1994, 10, 6, 8, 49, 37)

test.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', TIME],
  ['Sunday, 06-Nov-94 08:49:37 GMT', TIME],
  ['Sun Nov  6 08:49:37 1994', TIME],
  ['Sunday, 06-Nov-76 08:49:37 GMT', Date.UTC(2076, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-77 08:49:37 GMT', Date.UTC(1977, 10, 6, 8, 49, 37)],
  ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
  ['Sun, 06 Nov 1994 08:49:37', null],
  ['Sun, 06 Nov 1994 08:49:37 +0100', null],
  ['Sun, 30 Feb 1994 08:49:37 GMT', null],
  ['Sun, 06 Nov 1994 24:00:00 GMT', null],
  ['1994-11-06T08:49:37Z', null],
  ['784111777', null],
  ['yesterday', null],
  ['', null],
])('%s is %s', (text, expected) => {
  expect(parseHttpDate(text, NOW)).toBe(expected)
})

test('a written time is read back to the second', () => {
  expect(toHttpDate(TIME + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
})
