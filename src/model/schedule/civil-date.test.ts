import { expect, test } from 'vitest'
import { daysInMonth, toDate, toDay, weekdayOf } from './civil-date.ts'

test('every day from 1969 to 2200 has the date and the weekday of Date', () => {
  const first = Date.UTC(1969, 0, 1) / 86_400_000
  const last = Date.UTC(2200, 11, 31) / 86_400_000
  for (let day = first; day <= last; day++) {
    const date = new Date(day * 86_400_000)
    const { year, month, day: dayOfMonth } = toDate(day)
    const isSame =
      year === date.getUTCFullYear() &&
      month === date.getUTCMonth() + 1 &&
      dayOfMonth === date.getUTCDate() &&
      weekdayOf(day) === date.getUTCDay() &&
      toDay(year, month, dayOfMonth) === day
    if (!isSame) expect.fail(`${date.toISOString()} is not ${year}-${month}-${dayOfMonth}`)
  }
})

test('every month has the right number of days, with February depending on the year', () => {
  expect(Array.from({ length: 12 }, (_, index) => daysInMonth(2026, index + 1))).toEqual([
    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
  ])
  expect([2000, 2024, 2100].map(year => daysInMonth(year, 2))).toEqual([29, 29, 28])
})
