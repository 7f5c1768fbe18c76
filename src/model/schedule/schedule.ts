import type { Calendar } from './calendar.ts'
import { createCalendarSlots } from './calendar-slots.ts'
import { createSchedule, type Schedule } from './create-schedule.ts'
import { createExclusion, type Exclusion, isWholeDay, MAX_PARTIAL } from './exclusion.ts'
import type { Report, ScheduleFault } from './fault.ts'
import { createIntervalSlots, type Interval } from './interval-slots.ts'
import { nextDay } from './month-days.ts'
import { readCalendar } from './read-calendar.ts'
import { readCron } from './read-cron.ts'
import { readDuration, readInterval } from './read-interval.ts'
import { readTime } from './read-time.ts'
import type { ScheduleSpec } from './schedule-schema.ts'
import { shortestDistance } from './shortest-distance.ts'
import { FIRST_INSTANT } from './slots.ts'
import { findTimeZone, type TimeZone } from './time-zone.ts'

export type { Schedule } from './create-schedule.ts'

const MINUTE = 60_000
const LONGEST_CATCH_UP = 366 * 24 * 60 * MINUTE

/**
 * Makes a schedule of what the schema has let through, or says everything that is wrong with it. A schedule that has slots,
 * but none to come, is a schedule: whoever keeps it asks `nextSlot(now)`.
 */
export const readSchedule = (
  spec: ScheduleSpec,
  { createdAt }: { createdAt: number },
): Schedule | { readonly errors: readonly ScheduleFault[] } => {
  const errors: ScheduleFault[] = []
  const report: Report = (path, message) => void errors.push({ path, message })
  const zone = readZone(spec.time_zone ?? 'UTC', report)
  const intervals = (spec.intervals ?? []).map((one, index) =>
    readInterval({ spec: one, createdAt, path: `intervals.${index}`, report }),
  )
  const calendars = readCalendars(spec, report, errors)
  const exclusion = readExclude(spec, report)
  const limits = readLimits(spec, report)
  if (intervals.length + (spec.calendars ?? []).length + (spec.crons ?? []).length === 0)
    report('', 'must have at least one interval, calendar or cron')
  if (errors.length === 0) checkJitter({ jitter: limits.jitterMs, intervals, calendars, report })
  if (errors.length > 0) return { errors }
  const parts = [
    ...intervals.map((interval, index) => ({
      path: `intervals.${index}`,
      slots: createIntervalSlots({ interval, zone, exclusion }),
    })),
    ...calendars.map(({ calendar, path }) => ({ path, slots: createCalendarSlots({ calendar, zone, exclusion }) })),
  ]
  for (const { path, slots } of parts)
    if (slots.next(FIRST_INSTANT) === null) errors.push({ path, message: 'is excluded as a whole', neverFires: true })
  if (errors.length > 0) return { errors }
  const schedule = createSchedule({
    parts: parts.map(({ slots }) => slots),
    intervals: exclusion === null && calendars.length === 0 ? intervals : null,
    ...limits,
  })
  if (schedule.nextSlot(FIRST_INSTANT - 1) !== null) return schedule
  return { errors: [{ path: '', message: 'has no slot between start_at and end_at', neverFires: true }] }
}

const readZone = (name: string, report: Report): TimeZone => {
  const zone = findTimeZone(name)
  if (zone === null) report('time_zone', 'must be the name of a time zone such as "Europe/Berlin"')
  return zone ?? findTimeZone('UTC')!
}

/** A calendar and where it stands. */
type Placed = { readonly calendar: Calendar; readonly path: string }

/** Calendars and crons that can be read; those that match no date are told apart from values that are wrong. */
const readCalendars = (spec: ScheduleSpec, report: Report, errors: ScheduleFault[]): readonly Placed[] => {
  const found: Placed[] = []
  const read = (path: string, readOne: () => Calendar | null): void => {
    const before = errors.length
    const calendar = readOne()
    if (calendar === null || errors.length > before) return
    if (isNever(calendar)) errors.push({ path, message: 'no date matches', neverFires: true })
    found.push({ calendar, path })
  }
  for (const [index, one] of (spec.calendars ?? []).entries()) {
    const path = `calendars.${index}`
    read(path, () => readCalendar({ spec: one, timeDefault: 0, path, report }))
  }
  for (const [index, one] of (spec.crons ?? []).entries()) {
    const path = `crons.${index}`
    read(path, () => readCron(one, path, report))
  }
  return found
}

const isNever = ({ days }: Calendar): boolean => nextDay(days, 0) === null

const readExclude = (spec: ScheduleSpec, report: Report): Exclusion | null => {
  if (!spec.exclude || spec.exclude.length === 0) return null
  const calendars = spec.exclude.map((one, index) =>
    readCalendar({ spec: one, timeDefault: '*', path: `exclude.${index}`, report }),
  )
  if (calendars.filter(calendar => !isWholeDay(calendar)).length > MAX_PARTIAL)
    report('exclude', `at most ${MAX_PARTIAL} of them may exclude a part of a day; one may list several hours`)
  return createExclusion(calendars)
}

const readLimits = (spec: ScheduleSpec, report: Report) => {
  const startAt = spec.start_at === undefined ? null : readTime(spec.start_at, 'start_at', report)
  const endAt = spec.end_at === undefined ? null : readTime(spec.end_at, 'end_at', report)
  if (startAt !== null && endAt !== null && startAt > endAt) report('start_at', 'must not be after end_at')
  const catchUpMs = readDuration(spec.catch_up ?? MINUTE, 'catch_up', report)
  if (catchUpMs > LONGEST_CATCH_UP) report('catch_up', 'must not be longer than 366 days')
  const jitterMs = readDuration(spec.jitter ?? 0, 'jitter', report)
  return { startAt, endAt, catchUpMs, jitterMs, overlap: spec.overlap ?? ('skip' as const) }
}

/**
 * Jitter must be shorter than the distance between the slots of each part, or slots would run in another order. Parts may
 * come closer to each other; `fireAt` stays before the next slot there.
 */
const checkJitter = (input: {
  jitter: number
  intervals: readonly Interval[]
  calendars: readonly Placed[]
  report: Report
}): void => {
  if (input.jitter === 0) return
  const shortest = Math.min(
    ...input.intervals.map(({ every }) => every),
    ...input.calendars.map(({ calendar }) => shortestDistance(calendar)),
  )
  if (input.jitter >= shortest)
    input.report('jitter', `must be shorter than the shortest distance between slots (${shortest} ms)`)
}
