import { expect, test } from 'vitest'
import { growthOf } from '../../../../test/growth.ts'
import { markInt96 } from './mark-clocks.ts'

const TIME = 'Nullable(DateTime64(9))'

test('INT96 columns are found by the number of Parquet columns before them', () => {
  const types = ['Map(String, UInt8)', TIME, `Array(${TIME})`, TIME, `Tuple(a ${TIME}, b UInt8)`, TIME]
  const flags = [false, false, true, true, false, true, false, true]
  expect(markInt96(types, flags)).toEqual([false, true, false, false, false, true])
  expect(markInt96(types, [...flags, true])).toEqual(types.map(() => false))
})

test('a file of many columns takes no longer per column', async () => {
  const make = (size: number) => {
    const types = Array.from({ length: size }, () => TIME)
    return [types, types.map((_, index) => index === size - 1)] as const
  }
  const work = ([types, areInt96]: ReturnType<typeof make>) =>
    expect(markInt96(types, areInt96).indexOf(true)).toBe(types.length - 1)
  expect(await growthOf({ size: 3_000, make, work })).toBeLessThan(3)
})
