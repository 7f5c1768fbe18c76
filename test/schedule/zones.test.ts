import { describe, expect, test } from 'vitest'
import { localOf, type TimeZone } from '../../src/model/schedule/time-zone.ts'
import { scheduleOf, slotsBackwards, slotsBetween } from './read.ts'
import { changesOf, distinctZones } from './zones.ts'

/** Ten years of every zone of the world, the first of which saw Samoa leave a day out and North Korea change twice. */
const DECADES = [
  [Date.UTC(2009, 0, 1), Date.UTC(2019, 0, 1)],
  [Date.UTC(2026, 0, 1), Date.UTC(2036, 0, 1)],
] as const
const THREE_DAYS = 3 * 86_400_000

/** Their union has a slot every few minutes, and meets every rule: gaps, repeats, elapsed hours, exclusion. */
const PARTS = {
  hours: { calendars: [{ hour: { start: 0, end: 23 }, minute: ['0', 20, 45] }] },
  elapsed: { calendars: [{ hour: '*', minute: { start: 10, end: 50, step: 20 } }] },
  workdays: { crons: ['*/15 1-3 * * MON-FRI'] },
  interval: { intervals: [{ every: '25m', offset: '90s' }] },
} as const
const EXCLUDE = [{ hour: 4, minute: { start: 30, end: 59 } }, { day_of_month: [1, 15] }]

type Window = { readonly zone: TimeZone; readonly from: number; readonly to: number }

/** ±3 days around each change; six days of a zone that has none. */
const windows = ([start, end]: (typeof DECADES)[number]): readonly Window[] =>
  distinctZones(start / 1000, end / 1000).flatMap(zone => {
    const changes = changesOf(zone, start / 1000, end / 1000).map(second => second * 1000)
    const centres = changes.length > 0 ? changes : [start + THREE_DAYS]
    return centres.map(centre => ({ zone, from: centre - THREE_DAYS, to: centre + THREE_DAYS }))
  })

describe.each(DECADES)('around every change of every clock in ten years from %i to %i', (...decade) => {
  const all = windows(decade)

  test('slots rise, are the same backwards, and a union is the merge of its parts', () => {
    expect(all.length).toBeGreaterThan(300)
    for (const { zone, from, to } of all) {
      const where = { time_zone: zone.name, exclude: EXCLUDE }
      const union = slotsBetween(
        scheduleOf({
          calendars: [...PARTS.hours.calendars, ...PARTS.elapsed.calendars],
          crons: PARTS.workdays.crons,
          intervals: PARTS.interval.intervals,
          ...where,
        }),
        from,
        to,
      )
      const merged = Object.values(PARTS).flatMap(part => slotsBetween(scheduleOf({ ...part, ...where }), from, to))
      if (!rises(union)) expect.fail(`${zone.name} does not rise in ${new Date(from).toISOString()}`)
      expect(union, zone.name).toEqual([...new Set(merged)].sort((a, b) => a - b))
    }
  })

  test('each slot is one of its rule, and next(previous(t)) is t or later', () => {
    for (const { zone, from, to } of all) {
      const schedule = scheduleOf({ ...PARTS.hours, time_zone: zone.name })
      const slots = slotsBetween(schedule, from, to)
      expect(slotsBackwards(schedule, from, to), zone.name).toEqual(slots)
      const wrong = slots.filter(slot => !isOnRule(slot / 1000, zone))
      expect(wrong, zone.name).toEqual([])
      for (let instant = from; instant < to; instant += 13_579_000) {
        const back = schedule.nextSlot(schedule.previousSlot(instant)!)!
        if (back < instant) expect.fail(`${zone.name}: ${back} < ${instant}`)
      }
    }
  })
})

const rises = (slots: readonly number[]): boolean =>
  slots.every((slot, index) => index === 0 || slot > slots[index - 1]!)

/** A slot of `hours`: at :00, :20 or :45 of the clock for the first time, or the first instant after a gap. */
const isOnRule = (second: number, zone: TimeZone): boolean => {
  const local = localOf(zone, second)
  const before = localOf(zone, second - 1)
  if (local - before > 1) return true
  return [0, 20 * 60, 45 * 60].includes(((local % 3600) + 3600) % 3600)
}

test('a daily schedule runs once for each date of ten years in every zone, on that date', () => {
  const [start, end] = DECADES[1]
  for (const zone of distinctZones(start / 1000, end / 1000)) {
    for (const [hour, minute] of [
      [0, 0],
      [2, 30],
      [23, 59],
    ] as const) {
      const schedule = scheduleOf({ calendars: [{ hour, minute }], time_zone: zone.name })
      const dates = slotsBetween(schedule, start + THREE_DAYS, end - THREE_DAYS).map(slot =>
        Math.floor(localOf(zone, slot / 1000) / 86_400),
      )
      const expected = Array.from({ length: dates.at(-1)! - dates[0]! + 1 }, (_, index) => dates[0]! + index)
      expect(dates, zone.name).toEqual(expected)
    }
  }
})

test('an hourly schedule of elapsed hours runs every hour wherever clocks move by whole hours', () => {
  const [start, end] = DECADES[1]
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
