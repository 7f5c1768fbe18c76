import { expect, test } from 'vitest'
import type { Schedule } from './schedule.ts'
import { readSchedule } from './schedule.ts'
import type { ScheduleSpec } from './schedule-schema.ts'

const scheduleOf = (spec: ScheduleSpec): Schedule => {
  const schedule = readSchedule(spec, { createdAt: 0 })
  if ('errors' in schedule) throw new Error(JSON.stringify(schedule.errors))
  return schedule
}

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR

test('a year of one-second slots is counted without iterating', () => {
  const schedule = scheduleOf({ intervals: [{ every: '1s' }] })
  expect(schedule.missedSlots({ after: 1000, upTo: YEAR, limit: 10 })).toEqual({
    count: YEAR / 1000 - 1,
    isExact: true,
    first: 2000,
    last: YEAR,
  })
})

test('a calendar is counted up to the limit, reported as inexact, with its last slot', () => {
  const schedule = scheduleOf({ calendars: [{ hour: '*', minute: '*', second: '*' }] })
  expect(schedule.missedSlots({ after: 0, upTo: YEAR, limit: 1000 })).toEqual({
    count: 1000,
    isExact: false,
    first: 1000,
    last: YEAR,
  })
  expect(schedule.missedSlots({ after: 0, upTo: 1_000_999, limit: 1000 })).toMatchObject({ count: 1000, isExact: true })
})

test('after is exclusive, up to is inclusive', () => {
  const schedule = scheduleOf({ calendars: [{ hour: '*' }] })
  expect(schedule.missedSlots({ after: HOUR, upTo: 3 * HOUR, limit: 10 })).toEqual({
    count: 2,
    isExact: true,
    first: 2 * HOUR,
    last: 3 * HOUR,
  })
})

test('slots that several intervals share are counted once', () => {
  const schedule = scheduleOf({ intervals: [{ every: '2h' }, { every: '3h' }] })
  expect(schedule.missedSlots({ after: 0, upTo: 6 * HOUR, limit: 100 })).toMatchObject({ count: 4, isExact: true })
})

test.each([
  ['an interval', { intervals: [{ every: '1h' }] }],
  ['a calendar', { calendars: [{ hour: '*' }] }],
])('there may be no missed slots of %s', (_, spec) => {
  const nothing = { count: 0, isExact: true, first: null, last: null }
  expect(scheduleOf(spec).missedSlots({ after: HOUR, upTo: 2 * HOUR - 1, limit: 10 })).toEqual(nothing)
  expect(scheduleOf(spec).missedSlots({ after: 5 * HOUR, upTo: HOUR, limit: 10 })).toEqual(nothing)
})

test('start_at and end_at limit the count, both inclusive', () => {
  const schedule = scheduleOf({
    intervals: [{ every: '1h' }],
    start_at: '1970-01-01T02:00:00Z',
    end_at: '1970-01-01T04:00:00Z',
  })
  expect(schedule.missedSlots({ after: 0, upTo: YEAR, limit: 100 })).toEqual({
    count: 3,
    isExact: true,
    first: 2 * HOUR,
    last: 4 * HOUR,
  })
})
