import { expect, test } from 'vitest'
import { nextAnswer, previousAnswer, remember } from './remember.ts'

test('a question up to the found slot is not searched again', () => {
  const searched: number[] = []
  const next = remember(from => {
    searched.push(from)
    return nextAnswer(from, from > 100 ? null : Math.ceil(from / 10) * 10)
  })
  expect([11, 12, 20, 21, 15, 101, 5000].map(next)).toEqual([20, 20, 20, 30, 20, null, null])
  expect(searched).toEqual([11, 21, 15, 101])
})

test('a question down to the found slot is not searched again', () => {
  const searched: number[] = []
  const previous = remember(to => {
    searched.push(to)
    return previousAnswer(to, to < 0 ? null : Math.floor(to / 10) * 10)
  })
  expect([19, 15, 10, 9, -1, -50].map(previous)).toEqual([10, 10, 10, 0, null, null])
  expect(searched).toEqual([19, 9, -1])
})
