import { expect, test } from 'vitest'
import { contains, members, NONE, numberSet } from './number-set.ts'

test('a set returns the next and the previous member of every number', () => {
  const set = numberSet(10, value => [2, 3, 7].includes(value))
  expect([...set.next]).toEqual([2, 2, 2, 3, 7, 7, 7, 7, NONE, NONE, NONE])
  expect([...set.previous]).toEqual([NONE, NONE, 2, 3, 3, 3, 3, 7, 7, 7])
  expect([set.first, set.last]).toEqual([2, 7])
  expect(members(set)).toEqual([2, 3, 7])
  expect([contains(set, 3), contains(set, 4)]).toEqual([true, false])
})

test('an empty set has no first member', () => {
  const set = numberSet(3, () => false)
  expect([set.first, set.last, members(set)]).toEqual([NONE, NONE, []])
})
