import { expect, test } from 'vitest'
import { toDate, toDay } from './civil-date.ts'
import { daysOfMonth, nextDay, previousDay } from './month-days.ts'

test('the next and the previous day are found across months and years, including the day itself', () => {
  const thirties = (year: number, month: number) => daysOfMonth(year, month) & (1 << 29)
  const day = toDay(2026, 1, 31)
  expect(toDate(nextDay(thirties, day)!)).toEqual({ year: 2026, month: 3, day: 30 })
  expect(toDate(previousDay(thirties, day)!)).toEqual({ year: 2026, month: 1, day: 30 })
  expect(nextDay(thirties, toDay(2026, 3, 30))).toBe(toDay(2026, 3, 30))
  expect(previousDay(thirties, toDay(2026, 3, 30))).toBe(toDay(2026, 3, 30))
  expect(toDate(previousDay(thirties, toDay(2026, 3, 29))!)).toEqual({ year: 2026, month: 1, day: 30 })
  expect(toDate(nextDay(thirties, toDay(2026, 12, 31))!)).toEqual({ year: 2027, month: 1, day: 30 })
})

test('there are no days before 1970 or after 2199', () => {
  expect(toDate(nextDay(daysOfMonth, -1000)!)).toEqual({ year: 1970, month: 1, day: 1 })
  expect(toDate(previousDay(daysOfMonth, 1e6)!)).toEqual({ year: 2199, month: 12, day: 31 })
  expect(nextDay(daysOfMonth, toDay(2200, 1, 1))).toBeNull()
  expect(previousDay(daysOfMonth, -1)).toBeNull()
  expect(nextDay(() => 0, 0)).toBeNull()
  expect(previousDay(() => 0, 1e6)).toBeNull()
})
