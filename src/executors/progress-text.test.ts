import { expect, test } from 'vitest'
import { toProgress } from './progress-text.ts'

test('rows of a known total are a percentage', () => {
  const progress = toProgress({ rowsRead: 1_500_000, totalRows: 6_000_000 })
  expect(progress).toEqual({ percentage: 25, message: '1,500,000 of 6,000,000 rows' })
})

test('without a total only rows are shown', () => {
  expect(toProgress({ rowsRead: 12, totalRows: null })).toEqual({ percentage: null, message: '12 rows' })
  expect(toProgress({ rowsRead: 0, totalRows: 0 })).toEqual({ percentage: null, message: '0 rows' })
})

test('more rows than expected raise the total', () => {
  const progress = toProgress({ rowsRead: 120, totalRows: 100 })
  expect(progress).toEqual({ percentage: 100, message: '120 of 120 rows' })
})
