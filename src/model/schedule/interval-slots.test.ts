import { describe, expect, test } from 'vitest'
import type { Schedule } from './schedule.ts'
import { readSchedule } from './schedule.ts'
import type { ScheduleSpec } from './schedule-schema.ts'

const at = (text: string): number => Date.parse(text)
const CREATED = at('2026-11-21T10:03:07.250Z')

const scheduleOf = (spec: ScheduleSpec): Schedule => {
  const schedule = readSchedule(spec, { createdAt: CREATED })
  if ('errors' in schedule) throw new Error(JSON.stringify(schedule.errors))
  return schedule
}

describe('intervals', () => {
  const after = at('2026-11-21T10:20:00Z')

  test.each([
    ['the epoch', {}, '2026-11-21T10:30:00.000Z'],
    ['the epoch, with an offset', { offset: '2m' }, '2026-11-21T10:32:00.000Z'],
    ['the creation of the workflow', { anchor: 'creation' }, '2026-11-21T10:33:07.250Z'],
    ['a time to come', { anchor: '2030-01-01T00:01:00+01:00' }, '2026-11-21T10:31:00.000Z'],
  ])('count from %s', (_, more, expected) => {
    const schedule = scheduleOf({ intervals: [{ every: '15m', ...more }] })
    expect(new Date(schedule.nextSlot(after)!).toISOString()).toBe(expected)
    expect(schedule.previousSlot(at(expected))).toBe(at(expected) - 900_000)
  })

  test('are not affected by clock changes or the zone', () => {
    const schedule = scheduleOf({ intervals: [{ every: '12h' }], time_zone: 'Europe/Berlin' })
    expect(schedule.nextSlot(at('2026-03-29T00:00:00Z'))).toBe(at('2026-03-29T12:00:00Z'))
  })

  test('leave out excluded slots, whole days at once', () => {
    const schedule = scheduleOf({
      intervals: [{ every: '1s' }],
      exclude: [{ day_of_week: ['SATURDAY', 'SUNDAY'] }, { hour: { start: 17, end: 23 } }],
      time_zone: 'Europe/Berlin',
    })
    const friday = at('2026-11-20T16:59:59+01:00')
    const monday = at('2026-11-23T00:00:00+01:00')
    expect(schedule.nextSlot(friday)).toBe(monday)
    expect(schedule.previousSlot(monday)).toBe(friday)
  })

  test('end when their slots are excluded one by one for too long, whatever was asked before', () => {
    // Every two seconds; from 2027 on all even seconds are excluded, before that none.
    const spec: ScheduleSpec = {
      intervals: [{ every: '2s' }],
      exclude: [{ year: { start: 2027, end: 2199 }, second: { start: 0, end: 58, step: 2 } }],
    }
    const last = at('2026-12-31T23:59:58Z')
    const questions = [last, last + 1, last + 3600_000, last + 30 * 86_400_000, last - 1, last + 7200_000]
    const fresh = questions.map(question => scheduleOf(spec).nextSlot(question))
    expect(fresh).toEqual([null, null, null, null, last, null])
    const schedule = scheduleOf(spec)
    expect(questions.map(schedule.nextSlot)).toEqual(fresh)
    expect(schedule.previousSlot(last + 3600_000)).toBe(last)
  })
})
