import { expect, test } from 'vitest'
import { withoutEnd } from './without-end.ts'

test.each([
  ['a \t b \t ', 'a \t b'],
  ['  ', ''],
  ['', ''],
  ['a', 'a'],
])('of %j blanks at the end are taken off', (text, left) => {
  expect(withoutEnd(text, ' \t')).toBe(left)
})
