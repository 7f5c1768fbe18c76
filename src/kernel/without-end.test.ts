import { expect, test } from 'vitest'
import { withoutEnd } from './without-end.ts'

test.each([
  ['a \t b \t ', 'a \t b'],
  ['  ', ''],
  ['', ''],
  ['a', 'a'],
])('trailing blanks of %j are removed', (text, left) => {
  expect(withoutEnd(text, ' \t')).toBe(left)
})
