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

/** A schedule without the parts that the schema refused; refused entries of lists are null. */
export type ScheduleParts = {
  readonly [Field in keyof ScheduleSpec]: ScheduleSpec[Field] extends (infer Entry)[] | undefined
    ? readonly (Entry | null)[]
    : ScheduleSpec[Field]
}

type Context = { readonly createdAt: number }

/**
 * Creates a schedule from a spec that matches the schema, or returns all its faults. A schedule whose slots are all in the past is valid: the caller checks
 * `nextSlot(now)`.
 */
export const readSchedule = (
  spec: ScheduleSpec,
  context: Context,
): Schedule | { readonly errors: readonly ScheduleFault[] } => {
  const { errors, report, zone, intervals, calendars, exclusion, limits } = readParts(spec, context)
  if (intervals.length + (spec.calendars ?? []).length + (spec.crons ?? []).length === 0)
    report('', 'must have at least one interval, calendar or cron')
  if (errors.length === 0)
    checkJitter({ jitter: limits.jitterMs, intervals: intervals.map(({ interval }) => interval), calendars, report })
  if (errors.length > 0) return { errors }
  const parts = [
    ...intervals.map(({ interval, path }) => ({ path, slots: createIntervalSlots({ interval, zone, exclusion }) })),
    ...calendars.map(({ calendar, path }) => ({ path, slots: createCalendarSlots({ calendar, zone, exclusion }) })),
  ]
  // Only the first is reported: searching one takes some milliseconds before it is given up.
  const never = parts.find(({ slots }) => slots.next(FIRST_INSTANT) === null)
  if (never) return { errors: [{ path: never.path, message: 'is excluded as a whole', neverFires: true }] }
  const schedule = createSchedule({
    parts: parts.map(({ slots }) => slots),
    intervals: exclusion === null && calendars.length === 0 ? intervals.map(({ interval }) => interval) : null,
    ...limits,
  })
  if (schedule.nextSlot(FIRST_INSTANT - 1) !== null) return schedule
  return { errors: [{ path: '', message: noSlot(limits), neverFires: true }] }
}

/** Faults in the parts of a schedule that cannot be read as a whole. */
export const schedulePartFaults = (parts: ScheduleParts, context: Context): readonly ScheduleFault[] =>
  readParts(parts, context).errors

const readParts = (spec: ScheduleParts, { createdAt }: Context) => {
  const errors: ScheduleFault[] = []
  const report: Report = (path, message) => void errors.push({ path, message })
  const zone = readZone(spec.time_zone ?? 'UTC', report)
  const intervals = placed(spec.intervals, 'intervals').map(({ entry, path }) => ({
    path,
    interval: readInterval({ spec: entry, createdAt, path, report }),
  }))
  const calendars = readCalendars(spec, report, errors)
  const exclusion = readExclude(spec, report)
  const limits = readLimits(spec, report)
  return { errors, report, zone, intervals, calendars, exclusion, limits }
}

/** The entries of a list that are not null, with their paths. */
const placed = <Entry>(entries: readonly (Entry | null)[] | undefined, path: string) =>
  (entries ?? []).flatMap((entry, index) => (entry === null ? [] : [{ entry, path: `${path}.${index}` }]))

const noSlot = ({ startAt, endAt }: Pick<Limits, 'startAt' | 'endAt'>): string => {
  if (startAt === null) return endAt === null ? 'has no slot' : 'has no slot before end_at'
  return endAt === null ? 'has no slot after start_at' : 'has no slot between start_at and end_at'
}

const readZone = (name: string, report: Report): TimeZone => {
  const zone = findTimeZone(name)
  if (zone === null) report('time_zone', 'must be the name of a time zone such as "Europe/Berlin"')
  return zone ?? findTimeZone('UTC')!
}

/** A calendar and its path. */
type PlacedCalendar = { readonly calendar: Calendar; readonly path: string }

/** The readable calendars and crons. Those that match no date are reported separately from wrong values. */
const readCalendars = (spec: ScheduleParts, report: Report, errors: ScheduleFault[]): readonly PlacedCalendar[] => {
  const found: PlacedCalendar[] = []
  const read = (path: string, readOne: () => Calendar | null): void => {
    const before = errors.length
    const calendar = readOne()
    if (calendar === null || errors.length > before) return
    if (isNever(calendar)) errors.push({ path, message: 'matches no date', neverFires: true })
    found.push({ calendar, path })
  }
  for (const { entry, path } of placed(spec.calendars, 'calendars'))
    read(path, () => readCalendar({ spec: entry, timeDefault: 0, path, report }))
  for (const { entry, path } of placed(spec.crons, 'crons')) read(path, () => readCron(entry, path, report))
  return found
}

const isNever = ({ days }: Calendar): boolean => nextDay(days, 0) === null

const readExclude = (spec: ScheduleParts, report: Report): Exclusion | null => {
  const calendars = placed(spec.exclude, 'exclude').map(({ entry, path }) =>
    readCalendar({ spec: entry, timeDefault: '*', path, report }),
  )
  if (calendars.length === 0) return null
  if (calendars.filter(calendar => !isWholeDay(calendar)).length > MAX_PARTIAL)
    report('exclude', `at most ${MAX_PARTIAL} of them may exclude a part of a day; one may list several hours`)
  return createExclusion(calendars)
}

type Limits = ReturnType<typeof readLimits>

const readLimits = (spec: ScheduleParts, report: Report) => {
  const startAt = spec.start_at === undefined ? null : readTime(spec.start_at, 'start_at', report)
  const endAt = spec.end_at === undefined ? null : readTime(spec.end_at, 'end_at', report)
  if (startAt !== null && endAt !== null && startAt > endAt) report('start_at', 'must not be after end_at')
  const catchUpMs = readDuration(spec.catch_up ?? MINUTE, 'catch_up', report)
  if (catchUpMs > LONGEST_CATCH_UP) report('catch_up', 'must not be longer than 366 days')
  const jitterMs = readDuration(spec.jitter ?? 0, 'jitter', report)
  return { startAt, endAt, catchUpMs, jitterMs, overlap: spec.overlap ?? ('skip' as const) }
}

/**
 * Jitter must be shorter than the distance between the slots of each part, or slots would run out of order. Slots of different parts may be closer to each
 * other; there `fireAt` stays before the next slot.
 */
const checkJitter = (input: {
  jitter: number
  intervals: readonly Interval[]
  calendars: readonly PlacedCalendar[]
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
