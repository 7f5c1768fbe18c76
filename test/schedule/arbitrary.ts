import fc from 'fast-check'
import { ALL_ZONES, changesOf } from './zones.ts'

/** Random schedules in the words of the API, dense enough that a few hours hold some slots. */

const DAY = 86_400
const FROM = Date.UTC(1971, 0, 1) / 1000
const TO = Date.UTC(2060, 0, 1) / 1000

/** A zone and an instant in it, near a change of its clock more often than not. */
export const zoneAndInstant: fc.Arbitrary<{ zone: string; second: number }> = fc
  .tuple(fc.constantFrom(...ALL_ZONES), fc.nat(), fc.integer({ min: FROM, max: TO }), fc.nat(5), fc.nat(7200))
  .map(([zone, pick, anywhere, where, before]) => {
    const changes = changesOf(zone, FROM, TO)
    const second = where > 0 && changes.length > 0 ? changes[pick % changes.length]! - before : anywhere
    return { zone: zone.name, second }
  })

const range = (min: number, max: number) =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.option(fc.integer({ min: 1, max: max - min + 1 })))
    .map(([a, b, step]) => ({ start: Math.min(a, b), end: Math.max(a, b), ...(step === null ? {} : { step }) }))

const field = (min: number, max: number) => {
  const value = fc.integer({ min, max })
  const entry = fc.oneof(value, value.map(String), range(min, max))
  return fc.oneof(fc.constant('*'), entry, fc.array(entry, { minLength: 1, maxLength: 4 }))
}

const stepped = (max: number, steps: readonly number[]) =>
  fc.constantFrom(...steps).map(step => ({ start: 0, end: max, step }))

const day = fc.constantFrom('MONDAY', 'tue', 'Wednesday', 'THU', 'friday', 'sat', 'SUNDAY', 0, 3, 6, 7, '5')
const month = fc.constantFrom('MARCH', 'oct', 'November', 'APR', 1, 3, 4, 9, 10, '11')

const timeFields = {
  hour: fc.oneof(fc.constant('*'), fc.constant(['*']), field(0, 23), field(0, 4), stepped(23, [1, 2, 3])),
  minute: fc.oneof(field(0, 59), stepped(59, [1, 5, 15, 30])),
  second: fc.oneof(fc.constant(0), field(0, 59), stepped(59, [1, 7, 20])),
}

const dateFields = {
  month: fc.oneof(fc.constant('*'), month, fc.array(month, { minLength: 1, maxLength: 4 }), range(1, 12)),
  day_of_month: field(1, 31),
  day_of_week: fc.oneof(
    fc.constant('*'),
    day,
    fc.array(day, { minLength: 1, maxLength: 4 }),
    fc.constant({ start: 'MONDAY', end: 'FRIDAY' }),
    fc.constant({ start: 'SATURDAY', end: 'SATURDAY' }),
  ),
}

const calendar = fc.oneof(
  fc.record({ ...timeFields }, { requiredKeys: [] }),
  fc.record({ ...timeFields, ...dateFields }, { requiredKeys: ['hour', 'minute'] }),
)

const interval = fc
  .tuple(
    fc.constantFrom(1000, 1500, 2000, 7000, 61_000, 90_000, 300_000, 900_000, 3_600_000, 5_400_000),
    fc.nat(999),
    fc.constantFrom('epoch', 'creation', '2024-02-29T12:00:00.250Z'),
  )
  .map(([every, permille, anchor]) => ({ every, offset: Math.floor((every * permille) / 1000), anchor }))

export const spec = fc.record(
  {
    calendars: fc.array(calendar, { minLength: 1, maxLength: 3 }),
    intervals: fc.array(interval, { maxLength: 2 }),
    exclude: fc.array(calendar, { maxLength: 2 }),
  },
  { requiredKeys: ['calendars'] },
)

export const WINDOW = 3 * 3600
export const A_DAY = DAY
