import { expect, test } from 'vitest'
import { markInt96 } from './mark-clocks.ts'

const TIME = 'Nullable(DateTime64(9))'

test('times in twelve bytes are told by the columns that Parquet has for those before them', () => {
  const types = ['Map(String, UInt8)', TIME, `Array(${TIME})`, TIME, `Tuple(a ${TIME}, b UInt8)`, TIME]
  const flags = [false, false, true, true, false, true, false, true]
  expect(markInt96(types, flags)).toEqual([false, true, false, false, false, true])
  expect(markInt96(types, [...flags, true])).toEqual(types.map(() => false))
})

test('a file of a hundred thousand columns takes no longer for each of them', () => {
  const types = Array.from({ length: 100_000 }, () => TIME)
  const began = performance.now()
  const found = markInt96(
    types,
    types.map((_, index) => index === 99_999),
  )
  expect(found.indexOf(true)).toBe(99_999)
  expect(performance.now() - began).toBeLessThan(5_000)
})
