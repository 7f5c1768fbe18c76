import { describe, expect, test } from 'vitest'
import type { Schedule } from '../../src/model/schedule/schedule.ts'
import { localOf, type TimeZone } from '../../src/model/schedule/time-zone.ts'
import { scheduleOf, slotsBackwards, slotsBetween } from './read.ts'
import { changesOf, distinctZones } from './zones.ts'

/** Ten years in which Samoa skipped a day, North Korea and Venezuela moved by half an hour and Russia changed its mind. */
const PAST = [Date.UTC(2009, 0, 1), Date.UTC(2019, 0, 1)] as const
/** Ten years of what is known of the future. */
const COMING = [Date.UTC(2026, 0, 1), Date.UTC(2036, 0, 1)] as const
const THREE_DAYS = 3 * 86_400_000

/** Their union has a slot every few minutes, and covers every rule: gaps, repeats, elapsed hours, exclusion. */
const PARTS = {
  hours: { calendars: [{ hour: { start: 0, end: 23 }, minute: ['0', 20, 45] }] },
  elapsed: { calendars: [{ hour: '*', minute: { start: 10, end: 50, step: 20 } }] },
  workdays: { crons: ['*/15 1-3 * * MON-FRI'] },
  interval: { intervals: [{ every: '25m', offset: '90s' }] },
} as const
const EXCLUDE = [{ hour: 4, minute: { start: 30, end: 59 } }, { day_of_month: [1, 15] }]

type Window = { readonly zone: TimeZone; readonly from: number; readonly to: number }

/** ±3 days around each change; six days of a zone that has none. */
const windows = ([start, end]: readonly [number, number]): readonly Window[] =>
  distinctZones(start / 1000, end / 1000).flatMap(zone => {
    const changes = changesOf(zone, start / 1000, end / 1000).map(second => second * 1000)
    const centres = changes.length > 0 ? changes : [start + THREE_DAYS]
    return centres.map(centre => ({ zone, from: centre - THREE_DAYS, to: centre + THREE_DAYS }))
  })

describe('around every change of every clock in ten years', () => {
  const all = windows(PAST)

  test('slots rise, are the same backwards, and a union is the merge of its parts', () => {
    expect(all.length).toBeGreaterThan(300)
    for (const { zone, from, to } of all) {
      const { union, parts } = schedulesIn(zone.name)
      const slots = slotsBetween(union, from, to)
      const merged = parts.flatMap(part => slotsBetween(part, from, to))
      const where = `${zone.name} around ${new Date(from + THREE_DAYS).toISOString()}`
      if (!rises(slots)) expect.fail(`does not rise: ${where}`)
      // As text: comparing a thousand numbers takes the test longer than finding them.
      if (slots.join() !== [...new Set(merged)].sort((a, b) => a - b).join()) expect.fail(`is not the merge: ${where}`)
    }
  })

  test('each slot obeys its rule, and next(previous(t)) is t or later', () => {
    for (const { zone, from, to } of all) {
      const schedule = scheduleOf({ ...PARTS.hours, time_zone: zone.name })
      const slots = slotsBetween(schedule, from, to)
      if (slotsBackwards(schedule, from, to).join() !== slots.join()) expect.fail(`other backwards: ${zone.name}`)
      const wrong = slots.filter(slot => !isOnRule(slot / 1000, zone))
      if (wrong.length > 0) expect.fail(`${zone.name}: ${wrong[0]} is no slot`)
      for (let instant = from; instant < to; instant += 13_579_000) {
        const back = schedule.nextSlot(schedule.previousSlot(instant)!)!
        if (back < instant) expect.fail(`${zone.name}: ${back} < ${instant}`)
      }
    }
  })
})

const schedulesIn = (time_zone: string): { union: Schedule; parts: readonly Schedule[] } => {
  const where = { time_zone, exclude: EXCLUDE }
  const union = {
    calendars: [...PARTS.hours.calendars, ...PARTS.elapsed.calendars],
    crons: PARTS.workdays.crons,
    intervals: PARTS.interval.intervals,
  }
  return {
    union: scheduleOf({ ...union, ...where }),
    parts: Object.values(PARTS).map(part => scheduleOf({ ...part, ...where })),
  }
}

const rises = (slots: readonly number[]): boolean =>
  slots.every((slot, index) => index === 0 || slot > slots[index - 1]!)

/** A slot of `hours`: the first :00, :20 or :45 of the local time, or the first instant after a gap. */
const isOnRule = (second: number, zone: TimeZone): boolean => {
  const local = localOf(zone, second)
  const before = localOf(zone, second - 1)
  if (local - before > 1) return true
  return [0, 20 * 60, 45 * 60].includes(((local % 3600) + 3600) % 3600)
}

test('a daily schedule runs once on each date of ten years in every zone', () => {
  const [start, end] = COMING
  for (const zone of distinctZones(start / 1000, end / 1000)) {
    for (const [hour, minute] of [
      [0, 0],
      [2, 30],
      [23, 59],
    ] as const) {
      const schedule = scheduleOf({ calendars: [{ hour, minute }], time_zone: zone.name })
      const slots = slotsBetween(schedule, start + THREE_DAYS, end - THREE_DAYS)
      const dates = slots.map(slot => Math.floor(meantFor(zone, slot / 1000, hour * 3600 + minute * 60) / 86_400))
      const gaps = dates.filter((date, index) => index > 0 && date !== dates[index - 1]! + 1)
      expect(gaps, `${zone.name} at ${hour}:${minute}`).toEqual([])
      expect(dates.length).toBeGreaterThan(3600)
    }
  }
})

/** The local time that a slot was meant for: 23:59 in a gap from 23:00 to midnight runs on the next date. */
const meantFor = (zone: TimeZone, second: number, timeOfDay: number): number => {
  const shown = localOf(zone, second)
  return shown % 86_400 === timeOfDay ? shown : localOf(zone, second - 1) + 1
}

test('an hourly schedule of elapsed hours runs every hour where clocks change by whole hours', () => {
  const [start, end] = COMING
  const zones = distinctZones(start / 1000, end / 1000).filter(zone =>
    zone.offsets.every((offset, index) => index === 0 || (offset - zone.offsets[index - 1]!) % 3600 === 0),
  )
  expect(zones.length).toBeGreaterThan(20)
  for (const zone of zones) {
    const schedule = scheduleOf({ calendars: [{ hour: '*', minute: 30 }], time_zone: zone.name })
    for (const change of changesOf(zone, start / 1000, end / 1000)) {
      const slots = slotsBetween(schedule, change * 1000 - THREE_DAYS, change * 1000 + THREE_DAYS)
      const distances = new Set(slots.slice(1).map((slot, index) => slot - slots[index]!))
      expect([...distances], zone.name).toEqual([3_600_000])
    }
  }
})
