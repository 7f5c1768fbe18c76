import { expect, test } from 'vitest'
import type { Calendar } from './calendar.ts'
import { createExclusion } from './exclusion.ts'
import { createLocalTimes } from './local-times.ts'
import { ALL_DAYS } from './month-days.ts'
import { numberSet } from './number-set.ts'

const ALL = {
  hours: numberSet(24, () => true),
  minutes: numberSet(60, () => true),
  seconds: numberSet(60, () => true),
  everyHour: false,
}
const MONTHS = 230 * 12

/** An exclusion of every day that counts how often it is asked for the days of a month. */
const counting = (times: Partial<Calendar> = {}) => {
  const calendar = {
    ...ALL,
    ...times,
    asked: 0,
    days: () => {
      calendar.asked++
      return ALL_DAYS
    },
  }
  return calendar
}

test.each([
  ['whole days', [{}]],
  [
    'both halves of all days',
    [{ hours: numberSet(24, hour => hour < 12) }, { hours: numberSet(24, hour => hour >= 12) }],
  ],
])('%s are looked up once a month, however many calendars find nothing', (_name, times) => {
  const excluded = times.map(counting)
  const exclusion = createExclusion(excluded)
  for (let second = 0; second < 50; second++) {
    const calendar = { ...ALL, seconds: numberSet(60, one => one === second), days: () => ALL_DAYS }
    expect(createLocalTimes(calendar, exclusion).next(0)).toBeNull()
    expect(createLocalTimes(calendar, exclusion).previous(2_000_000_000)).toBeNull()
  }
  expect(excluded.map(({ asked }) => asked)).toEqual(times.map(() => MONTHS))
})
