import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newId } from '../../kernel/ids.ts'
import { readSchedule, type Schedule } from '../../model/schedule/schedule.ts'
import type { ScheduleSpec } from '../../model/schedule/schedule-schema.ts'
import { planFire } from './plan-fire.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOON = Date.parse('2026-11-21T12:00:00Z')
const workflowId = newId()

const scheduleOf = (spec: ScheduleSpec): Schedule => {
  const schedule = readSchedule(spec, { createdAt: NOON })
  if ('errors' in schedule) throw new Error(JSON.stringify(schedule.errors))
  return schedule
}

const plan = (spec: ScheduleSpec, cursor: number, now: number, isPaused = false) =>
  planFire({ workflowId, schedule: scheduleOf(spec), cursor, now, isPaused })

const hourly: ScheduleSpec = { intervals: [{ every: '1h' }] }

test('a slot whose instant has come fires, and the next is found from the slot, not from now', () => {
  expect(plan(hourly, NOON - HOUR, NOON + 37)).toEqual({
    slot: NOON,
    skipped: [],
    timing: { cursor: NOON, next: { slot: NOON + HOUR, fireAt: NOON + HOUR } },
  })
})

test('of the slots missed within catch_up only the newest runs, the others are recorded as missed', () => {
  expect(plan({ ...hourly, catch_up: '3h' }, NOON - 5 * HOUR, NOON + 2 * HOUR)).toMatchObject({
    slot: NOON + 2 * HOUR,
    skipped: [{ first: NOON - 4 * HOUR, last: NOON + HOUR, count: 6, reason: 'missed' }],
    timing: { cursor: NOON + 2 * HOUR },
  })
})

test('slots older than catch_up are recorded and not run', () => {
  expect(plan(hourly, NOON - HOUR, NOON + 2 * MINUTE)).toMatchObject({
    slot: null,
    skipped: [{ first: NOON, last: NOON, count: 1, reason: 'missed' }],
    timing: { cursor: NOON, next: { slot: NOON + HOUR } },
  })
})

test('with catch_up: 0 a slot that is slightly late still runs', () => {
  expect(plan({ ...hourly, catch_up: 0 }, NOON - HOUR, NOON + 5000)).toMatchObject({ slot: NOON })
  expect(plan({ ...hourly, catch_up: 0 }, NOON - HOUR, NOON + 15_000)).toMatchObject({ slot: null })
})

test('slots of a paused workflow are recorded as paused, including the newest', () => {
  expect(plan(hourly, NOON - 3 * HOUR, NOON, true)).toMatchObject({
    slot: null,
    skipped: [{ first: NOON - 2 * HOUR, last: NOON, count: 3, reason: 'paused' }],
    timing: { cursor: NOON, next: { slot: NOON + HOUR } },
  })
})

test('with the clock set back before the last slot nothing happens until that time comes again', () => {
  expect(plan(hourly, NOON, NOON - 3 * HOUR)).toEqual({
    slot: null,
    skipped: [],
    timing: { cursor: NOON, next: { slot: NOON + HOUR, fireAt: NOON + HOUR } },
  })
})

test('a week of missed seconds is recorded at once in one row', () => {
  const week = 7 * 24 * HOUR
  expect(plan({ intervals: [{ every: '1s' }] }, NOON - week, NOON)).toMatchObject({
    slot: NOON,
    skipped: [{ first: NOON - week + 1000, last: NOON - 1000, count: 7 * 86_400 - 1 }],
  })
})

test('jitter delays a slot, and a slot within its jitter is not missed', () => {
  const spec: ScheduleSpec = { ...hourly, jitter: '30m', catch_up: 0 }
  const fireAt = scheduleOf(spec).fireAt(workflowId, NOON)
  expect(plan(spec, NOON - HOUR, fireAt - 1)).toMatchObject({ slot: null, skipped: [] })
  expect(plan(spec, NOON - HOUR, fireAt)).toMatchObject({ slot: NOON })
})

test('after the last slot before end_at there is no next one', () => {
  expect(plan({ ...hourly, end_at: '2026-11-21T12:30:00Z' }, NOON - HOUR, NOON).timing).toEqual({
    cursor: NOON,
    next: null,
  })
})

test('however time goes, every slot is dealt with once and in order', () => {
  const specs: ScheduleSpec[] = [
    { intervals: [{ every: '7m', offset: '1m' }], jitter: '5m' },
    { crons: ['*/13 9-17 * * MON-FRI', '0 0 * * *'], time_zone: 'Europe/Berlin', catch_up: '2h' },
    { calendars: [{ hour: '*', minute: [0, 30] }], time_zone: 'Australia/Lord_Howe', catch_up: '10m' },
  ]
  const steps = fc.array(fc.oneof(fc.integer({ min: -90, max: 90 }), fc.integer({ min: 0, max: 60 * 24 * 9 })), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(fc.constantFrom(...specs), steps, (spec, minutes) => {
      const schedule = scheduleOf(spec)
      let cursor = NOON
      let now = NOON
      let seen = 0
      for (const step of minutes) {
        now += step * MINUTE
        const { slot, skipped, timing } = planFire({ workflowId, schedule, cursor, now, isPaused: false })
        for (const { first, last, count } of skipped) {
          expect(first).toBe(schedule.nextSlot(cursor))
          expect(last).toBeGreaterThanOrEqual(first)
          seen += count
        }
        if (slot !== null) {
          expect(slot).toBeGreaterThan(skipped[0]?.last ?? cursor)
          expect(schedule.fireAt(workflowId, slot)).toBeLessThanOrEqual(now)
          seen += 1
        }
        expect(timing.cursor).toBeGreaterThanOrEqual(cursor)
        expect(timing.next === null || timing.next.fireAt > now).toBe(true)
        cursor = timing.cursor
      }
      const { count } = schedule.missedSlots({ after: NOON, upTo: cursor, limit: 1_000_000 })
      expect(seen).toBe(count)
    }),
    { numRuns: 100 },
  )
})
