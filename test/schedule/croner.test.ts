import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSchedule } from '../../src/model/schedule/schedule.ts'
import { findTimeZone } from '../../src/model/schedule/time-zone.ts'
import { scheduleOf } from './read.ts'
import { ALL_ZONES, changesOf } from './zones.ts'

/** A longer run: `RUNS` of 50,000 and another seed. */
const RUNS = 600
const SEED = 11

const number = (min: number, max: number) => fc.integer({ min, max }).map(String)

const field = (min: number, max: number) => {
  const range = fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = fc.integer({ min: 1, max: max - min })
  const entry = fc.oneof(
    number(min, max),
    range,
    fc.tuple(range, step).map(([text, by]) => `${text}/${by}`),
    step.map(by => `*/${by}`),
  )
  return fc.oneof(
    fc.constant('*'),
    entry,
    fc.array(entry, { minLength: 1, maxLength: 3 }).map(entries => entries.join()),
  )
}

const dayOfMonth = fc.oneof(
  { weight: 4, arbitrary: field(1, 31) },
  fc.constantFrom('L', 'LW', '15W', '1W', '31W', '?', '1,L'),
)
const month = fc.oneof(field(1, 12), fc.constantFrom('JAN', 'feb-apr', 'Mar,OCT', 'JUN-DEC/2'))
const dayOfWeek = fc.oneof(
  { weight: 2, arbitrary: field(0, 7) },
  fc.constantFrom('MON-FRI', 'sat,SUN', 'FRI#2', 'MON#1,WED', '5L', 'SUN#L', '+MON', '+2-4', 'FRI-SUN', '?'),
)

const cron = fc
  .tuple(fc.option(field(0, 59)), field(0, 59), field(0, 23), dayOfMonth, month, dayOfWeek)
  .map(fields => fields.filter(part => part !== null).join(' '))

const FROM = Date.UTC(2020, 0, 1) / 1000
const TO = Date.UTC(2035, 0, 1) / 1000
/** A day and what croner may look ahead. */
const NEAR = 26 * 3600

describe('crons', () => {
  test('have the slots of croner, away from clock changes', () => {
    let compared = 0
    const property = fc.property(
      cron,
      fc.constantFrom(...ALL_ZONES),
      fc.integer({ min: FROM, max: TO }),
      (text, zone, second) => {
        const schedule = readSchedule({ crons: [text], time_zone: zone.name }, { createdAt: 0 })
        const croner = new Cron(text, { timezone: zone.name, paused: true, mode: '5-or-6-parts' })
        if ('errors' in schedule) {
          expect(croner.nextRun(new Date(second * 1000)), text).toBeNull()
          return
        }
        let instant = second * 1000
        for (let slots = 0; slots < 5; slots++) {
          const ours = schedule.nextSlot(instant)
          const theirs = croner.nextRun(new Date(instant))?.getTime() ?? null
          const last = Math.max(ours ?? 0, theirs ?? 0) / 1000
          const nearby = changesOf(zone, instant / 1000 - NEAR, instant / 1000 + NEAR)
          if (nearby.length + changesOf(zone, last - NEAR, last + NEAR).length === 0) {
            expect(ours, `${text} in ${zone.name} after ${new Date(instant).toISOString()}`).toBe(theirs)
            compared++
          }
          if (ours === null) return
          instant = ours
        }
      },
    )
    fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true })
    expect(compared).toBeGreaterThan(RUNS)
  })

  test.each([
    ['*/20 * * * *', 'every hour'],
    ['15 * * * MON-SAT', 'every hour'],
    ['30 2 * * *', 'one time a day'],
    ['0 1 * * *', 'one time a day'],
    ['59 3 * * SUN', 'one time a day'],
  ])('%s (%s) has the slots of croner across clock changes of an hour', text => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Europe/Lisbon', 'Australia/Sydney', 'America/Santiago']) {
      const schedule = scheduleOf({ crons: [text], time_zone: zone })
      const croner = new Cron(text, { timezone: zone, paused: true })
      const [first, second] = changesOf(findTimeZone(zone)!, FROM, TO)
      for (const change of [first!, second!]) {
        let slot = (change - 6 * 3600) * 1000
        while (slot < (change + 6 * 3600) * 1000) {
          const theirs: number = croner.nextRun(new Date(slot))!.getTime()
          expect(schedule.nextSlot(slot), `${zone} after ${new Date(slot).toISOString()}`).toBe(theirs)
          slot = theirs
        }
      }
    }
  })

  test.each(['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'])('%s is read', text => {
    const start = Date.UTC(2026, 4, 5, 6, 7)
    expect(scheduleOf({ crons: [text] }).nextSlot(start)).toBe(
      new Cron(text, { timezone: 'UTC', paused: true }).nextRun(new Date(start))!.getTime(),
    )
  })
})
