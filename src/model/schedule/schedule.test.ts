import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import { boundedErrors, toFieldErrors } from '../schema-errors.ts'
import type { Schedule } from './schedule.ts'
import { readSchedule } from './schedule.ts'
import { ScheduleSchema, type ScheduleSpec } from './schedule-schema.ts'

const validator = Compile(ScheduleSchema)
const at = (text: string): number => Date.parse(text)

const read = (spec: unknown) => {
  expect(validator.Check(spec), JSON.stringify(spec)).toBe(true)
  return readSchedule(spec as ScheduleSpec, { createdAt: 0 })
}

const scheduleOf = (spec: unknown): Schedule => {
  const schedule = read(spec)
  if ('errors' in schedule) throw new Error(JSON.stringify(schedule.errors))
  return schedule
}

const next = (spec: unknown, after: string, count = 3): readonly string[] => {
  const schedule = scheduleOf(spec)
  const slots: string[] = []
  let slot = schedule.nextSlot(at(after))
  while (slot !== null && slots.length < count) {
    slots.push(new Date(slot).toISOString())
    slot = schedule.nextSlot(slot)
  }
  return slots
}

test.each(['* *', '* * * * * * *', '', '@dayly', '@daily @daily'])(
  'the cron %j is refused with the allowed numbers of fields',
  cron => {
    expect(read({ crons: [cron] })).toEqual({
      errors: [
        { path: 'crons.0', message: expect.stringMatching(/must have five or six fields, or be one of @yearly/) },
      ],
    })
  },
)

describe('faults that the schema cannot find are refused with their path', () => {
  test.each([
    ['no interval, calendar and cron', {}, ''],
    ['empty lists', { intervals: [], calendars: [], crons: [] }, ''],
    ['minute 60', { calendars: [{ minute: 60 }] }, 'calendars.0.minute'],
    ['minute 60 in a list', { calendars: [{ hour: 1 }, { minute: [0, '60'] }] }, 'calendars.1.minute.1'],
    ['a negative hour', { calendars: [{ hour: -1 }] }, 'calendars.0.hour'],
    ['weekday 8', { calendars: [{ day_of_week: 8 }] }, 'calendars.0.day_of_week'],
    ['an unknown day', { calendars: [{ day_of_week: 'CATURDAY' }] }, 'calendars.0.day_of_week'],
    ['a name where there are none', { calendars: [{ hour: 'MONDAY' }] }, 'calendars.0.hour'],
    ['an unknown name of a month in a range', { calendars: [{ month: { start: 'MAI' } }] }, 'calendars.0.month.start'],
    ['the end of a range', { calendars: [{ hour: { start: 9, end: 24 } }] }, 'calendars.0.hour.end'],
    ['start after end', { calendars: [{ hour: { start: 17, end: 9 } }] }, 'calendars.0.hour'],
    ['step 0', { calendars: [{ minute: { start: 0, end: 59, step: 0 } }] }, 'calendars.0.minute.step'],
    ['a step that is not a number', { calendars: [{ minute: { start: 0, step: 'x' } }] }, 'calendars.0.minute.step'],
    ['the year 1969', { calendars: [{ year: 1969 }] }, 'calendars.0.year'],
    ['a fault in exclude', { crons: ['@daily'], exclude: [{ hour: 24 }] }, 'exclude.0.hour'],
    ['an unknown zone', { crons: ['@daily'], time_zone: 'Mars/Olympus' }, 'time_zone'],
    ['an interval of 0', { intervals: [{ every: 0 }] }, 'intervals.0.every'],
    ['an interval below a second', { intervals: [{ every: '999ms' }] }, 'intervals.0.every'],
    ['an interval above a year', { intervals: [{ every: '366d' }] }, 'intervals.0.every'],
    ['5 parsecs', { intervals: [{ every: '5 parsecs' }] }, 'intervals.0.every'],
    ['half a millisecond', { intervals: [{ every: 1000.5 }] }, 'intervals.0.every'],
    ['an offset of every', { intervals: [{ every: '1m', offset: '60s' }] }, 'intervals.0.offset'],
    ['an invalid anchor', { intervals: [{ every: '1m', anchor: 'tomorrow' }] }, 'intervals.0.anchor'],
    ['an invalid start', { crons: ['@daily'], start_at: '2026-02-30' }, 'start_at'],
    [
      'a start after the end',
      { crons: ['@daily'], start_at: '2027-01-01T00:00:00Z', end_at: '2026-01-01T00:00:00Z' },
      'start_at',
    ],
    ['a jitter as long as an interval', { intervals: [{ every: '1m' }], jitter: '1m' }, 'jitter'],
    ['a jitter as long as a step', { calendars: [{ minute: [0, 10, 30] }], jitter: '10m' }, 'jitter'],
    ['a jitter that reaches into the next hour', { crons: ['50,55 * * * *'], jitter: '5m' }, 'jitter'],
    ['a catch_up of two years', { crons: ['@daily'], catch_up: '2y' }, 'catch_up'],
    ['a cron of four fields', { crons: ['* * * *'] }, 'crons.0'],
    ['a cron of seven fields', { crons: ['* * * * * * 2026'] }, 'crons.0'],
    ['minute 60 in a cron', { crons: ['@daily', '60 * * * *'] }, 'crons.1'],
    ['a cron with step 0', { crons: ['*/0 * * * *'] }, 'crons.0'],
    ['@reboot', { crons: ['@reboot'] }, 'crons.0'],
    ['an empty cron', { crons: [''] }, 'crons.0'],
  ])('%s', (_, spec, path) => {
    const result = read(spec)
    expect(result).toMatchObject({ errors: [{ path, message: expect.stringMatching(/\w/) }] })
    expect(result).not.toMatchObject({ errors: [{ neverFires: true }] })
  })

  test('all faults are reported at once', () => {
    const result = read({ calendars: [{ minute: 60, hour: 25 }], intervals: [{ every: 1 }], time_zone: 'X' })
    expect(result).toMatchObject({
      errors: [
        { path: 'time_zone' },
        { path: 'intervals.0.every' },
        { path: 'calendars.0.hour' },
        { path: 'calendars.0.minute' },
      ],
    })
  })

  test('more than ten exclusions within a day are refused', () => {
    const exclude = Array.from({ length: 11 }, (_, hour) => ({ hour, day_of_month: hour + 1 }))
    expect(read({ crons: ['@daily'], exclude })).toMatchObject({ errors: [{ path: 'exclude' }] })
    expect(read({ crons: ['@daily'], exclude: exclude.slice(1) })).not.toHaveProperty('errors')
  })
})

describe('a schedule that can never fire is refused separately', () => {
  test.each([
    ['31 February', { calendars: [{ month: 'FEBRUARY', day_of_month: 31 }] }, 'calendars.0'],
    ['31 February among others', { crons: ['@daily', '0 0 31 2 *'] }, 'crons.1'],
    ['30 February by cron', { crons: ['0 0 30 2 *'] }, 'crons.0'],
    ['29 February of a year without one', { calendars: [{ year: 2026, month: 2, day_of_month: 29 }] }, 'calendars.0'],
    ['everything excluded', { crons: ['@daily'], exclude: [{}] }, 'crons.0'],
    ['its hour excluded', { calendars: [{ hour: 9, minute: 30 }], exclude: [{ hour: 9 }] }, 'calendars.0'],
    [
      'an interval that always meets an exclusion',
      { intervals: [{ every: '2s' }], exclude: [{ second: { start: 0, end: 58, step: 2 } }] },
      'intervals.0',
    ],
    [
      'no slot within its time',
      { crons: ['0 0 1 1 *'], start_at: '2026-01-02T00:00:00Z', end_at: '2026-12-31T00:00:00Z' },
      '',
    ],
  ])('%s', (_, spec, path) => {
    expect(read(spec)).toMatchObject({ errors: [{ path, neverFires: true }] })
  })

  test.each([
    [{ start_at: '2199-06-02T00:00:00Z' }, 'has no slot after start_at'],
    [{ end_at: '1970-02-01T00:00:00Z' }, 'has no slot before end_at'],
    [{ start_at: '2026-06-02T00:00:00Z', end_at: '2026-07-01T00:00:00Z' }, 'has no slot between start_at and end_at'],
  ])('the message names the limits that apply: %j', (limits, message) => {
    const calendar = { month: 6, day_of_month: 1 }
    expect(read({ calendars: [calendar], ...limits })).toMatchObject({ errors: [{ path: '', message }] })
  })

  test('the search ends soon, whatever is excluded', () => {
    const exclude = [
      ...Array.from({ length: 10 }, (_, part) => ({
        day_of_month: { start: part + 1, end: 31 },
        second: { start: part, end: 59, step: 10 },
      })),
      { year: { start: 1990, end: 2100 } },
    ]
    read({ calendars: [{ hour: '*', minute: '*', second: '*' }], intervals: [{ every: 1001 }], exclude })
    const schedule = scheduleOf({
      calendars: [
        { year: 2199, month: 12, hour: '*' },
        { hour: '*', minute: '*' },
      ],
      exclude: [{ year: { start: 1971, end: 2198 } }],
      time_zone: 'Europe/Berlin',
    })
    expect(schedule.nextSlot(at('1971-01-01T00:00:00Z'))).toBe(at('2198-12-31T23:00:00Z'))
    expect(schedule.previousSlot(at('2198-12-31T23:00:00Z'))).toBe(at('1970-12-31T22:59:00Z'))
  })
})

describe('the schema', () => {
  test.each([
    ['an unknown field', { crons: ['@daily'], zone: 'UTC' }],
    ['an unknown field of a calendar', { calendars: [{ minutes: 0 }] }],
    ['an unknown overlap', { crons: ['@daily'], overlap: 'queue' }],
    ['a negative jitter', { crons: ['@daily'], jitter: -1 }],
    ['a fraction of a minute', { calendars: [{ minute: 0.5 }] }],
    ['a range without a start', { calendars: [{ minute: { end: 3 } }] }],
    ['an empty list', { calendars: [{ minute: [] }] }],
    ['101 calendars', { calendars: Array(101).fill({}) }],
    ['a list in a list', { calendars: [{ minute: [[1]] }] }],
    ['an interval without every', { intervals: [{}] }],
  ])('refuses %s', (_, spec) => {
    expect(validator.Check(spec)).toBe(false)
  })

  test('refuses a list of 100,000 entries, although only a few are checked', () => {
    const spec = { calendars: [{ minute: Array.from({ length: 100_000 }, (_, index) => index % 60) }] }
    expect(validator.Check(spec)).toBe(false)
    const faults = toFieldErrors(boundedErrors(validator, spec), 'schedule')
    expect(faults).toContainEqual({
      path: 'schedule.calendars.0.minute',
      message: expect.stringContaining('at most 100'),
    })
  })
})

describe('calendars', () => {
  test('the document’s example: workdays from 9 to 17 on the hour', () => {
    const spec = {
      calendars: [
        {
          year: '*',
          month: '*',
          day_of_month: '*',
          day_of_week: { start: 'MONDAY', end: 'FRIDAY' },
          hour: { start: 9, end: 17 },
          minute: '0',
          comment: 'Run every weekday from 9am to 5pm at the start of every hour',
        },
      ],
    }
    expect(next(spec, '2026-11-20T16:00:00Z')).toEqual([
      '2026-11-20T17:00:00.000Z',
      '2026-11-23T09:00:00.000Z',
      '2026-11-23T10:00:00.000Z',
    ])
  })

  test('second, minute and hour default to 0, the others to any', () => {
    expect(next({ calendars: [{}] }, '2026-11-20T16:00:00Z', 2)).toEqual([
      '2026-11-21T00:00:00.000Z',
      '2026-11-22T00:00:00.000Z',
    ])
    expect(next({ calendars: [{ hour: '*' }] }, '2026-11-20T16:00:00Z', 1)).toEqual(['2026-11-20T17:00:00.000Z'])
  })

  test('in exclude every field defaults to any', () => {
    expect(
      next({ calendars: [{ hour: '*' }], exclude: [{ hour: 17 }, { day_of_month: 21 }] }, '2026-11-20T16:00:00Z', 8).at(
        -1,
      ),
    ).toBe('2026-11-22T01:00:00.000Z')
  })

  test.each([
    ['0', 0],
    ['7', 7],
    ['SUNDAY', 'sun'],
    ['SATURDAY to SUNDAY', { start: 'SATURDAY', end: 'SUNDAY', step: 2 }, '2026-11-28'],
    ['6 to 7', { start: 6, end: 7 }, '2026-11-28'],
  ])('Sunday is %s', (_, day_of_week, first = '2026-11-29') => {
    expect(next({ calendars: [{ day_of_week }] }, '2026-11-22T12:00:00Z', 1)).toEqual([`${first}T00:00:00.000Z`])
  })

  test('names of months and days may be in any case, whole or abbreviated, and in lists and ranges', () => {
    const spec = {
      calendars: [{ month: ['february', 'Mar', { start: 'OCT', end: '12', step: '2' }], day_of_month: '1' }],
    }
    expect(next(spec, '2026-01-01T00:00:00Z', 5).map(slot => slot.slice(0, 7))).toEqual([
      '2026-02',
      '2026-03',
      '2026-10',
      '2026-12',
      '2027-02',
    ])
  })

  test('a range without an end is only its start, and "*" in a list means any', () => {
    expect(next({ calendars: [{ hour: { start: 5, step: 2 } }] }, '2026-01-01T00:00:00Z', 2)).toEqual([
      '2026-01-01T05:00:00.000Z',
      '2026-01-02T05:00:00.000Z',
    ])
    expect(next({ calendars: [{ hour: [5, '*'] }] }, '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T01:00:00.000Z'])
  })

  test('a rule that matches once in decades is found in both directions', () => {
    const schedule = scheduleOf({ calendars: [{ month: 2, day_of_month: 29, day_of_week: 'MONDAY' }] })
    expect(schedule.nextSlot(at('2080-01-01T00:00:00Z'))).toBe(at('2112-02-29T00:00:00Z'))
    expect(schedule.previousSlot(at('2112-02-29T00:00:00Z'))).toBe(at('2072-02-29T00:00:00Z'))
  })
})

describe('a schedule', () => {
  test('has the slots of all its parts once', () => {
    const spec = { intervals: [{ every: '1h' }], calendars: [{ hour: '*', minute: [0, 30] }], crons: ['0 * * * *'] }
    expect(next(spec, '2026-11-20T16:00:00Z')).toEqual([
      '2026-11-20T16:30:00.000Z',
      '2026-11-20T17:00:00.000Z',
      '2026-11-20T17:30:00.000Z',
    ])
  })

  test('begins with start_at and ends with end_at, both inclusive', () => {
    const spec = { crons: ['@hourly'], start_at: '2026-11-20T10:00:00Z', end_at: '2026-11-20T13:00:00+01:00' }
    const schedule = scheduleOf(spec)
    expect(next(spec, '2020-01-01T00:00:00Z', 9).map(slot => slot.slice(11, 13))).toEqual(['10', '11', '12'])
    expect(schedule.previousSlot(at('2027-01-01T00:00:00Z'))).toBe(at('2026-11-20T12:00:00Z'))
    expect(schedule.previousSlot(at('2026-11-20T10:00:00Z'))).toBeNull()
  })

  test('next and previous are exclusive, with fractions of milliseconds', () => {
    const schedule = scheduleOf({ crons: ['@hourly'] })
    const slot = at('2026-11-20T10:00:00Z')
    expect(schedule.nextSlot(slot - 0.5)).toBe(slot)
    expect(schedule.nextSlot(slot)).toBe(slot + 3_600_000)
    expect(schedule.previousSlot(slot + 0.5)).toBe(slot)
    expect(schedule.previousSlot(slot)).toBe(slot - 3_600_000)
  })

  test('skips overlapping slots, catches up a minute and has no jitter by default', () => {
    const schedule = scheduleOf({ crons: ['@hourly'] })
    expect(schedule).toMatchObject({ overlap: 'skip', catchUpMs: 60_000 })
    expect(schedule.fireAt('w', 3_600_000)).toBe(3_600_000)
    expect(scheduleOf({ crons: ['@hourly'], overlap: 'queue_one', catch_up: '2h' })).toMatchObject({
      overlap: 'queue_one',
      catchUpMs: 7_200_000,
    })
  })

  test('jitter is constant per workflow and slot, below its bound, and never reaches the next slot', () => {
    const spec = { crons: ['@hourly'], calendars: [{ hour: 9, second: 1 }], jitter: '10m' }
    const one = scheduleOf(spec)
    const other = scheduleOf(spec)
    const jitters = new Set<number>()
    let slot = at('2026-11-20T00:00:00Z')
    for (let count = 0; count < 200; count++) {
      slot = one.nextSlot(slot)!
      const fireAt = one.fireAt('w', slot)
      expect(fireAt).toBe(other.fireAt('w', slot))
      expect(fireAt).toBeGreaterThanOrEqual(slot)
      expect(fireAt).toBeLessThan(Math.min(slot + 600_000, one.nextSlot(slot)!))
      jitters.add(fireAt - slot)
    }
    expect(jitters.size).toBeGreaterThan(150)
    expect(one.fireAt('x', slot)).not.toBe(one.fireAt('w', slot))
  })
})
