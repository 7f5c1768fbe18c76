import { type Moment, type OracleZone, openOracleZone } from './oracle-zone.ts'

/**
 * The slots of a schedule by brute force: it walks second by second and asks each whether it matches the schedule as it is
 * written. It shares nothing with `src/model/schedule/` but the words of the rules.
 */
export const bruteForce = (
  spec: OracleSpec,
  { from, to, createdAt }: { from: number; to: number; createdAt: number },
): readonly number[] => {
  const first = Math.floor(from / 1000)
  const last = Math.ceil(to / 1000)
  const zone = openOracleZone(spec.time_zone ?? 'UTC', first - LONGEST_REPEAT, last)
  const seen = new Set<number>()
  const slots: number[] = []
  for (let second = first - LONGEST_REPEAT; second < last; second++) {
    const moment = zone.at(second)
    const isRepeat = seen.has(moment.local)
    seen.add(moment.local)
    if (second < first || isExcluded(spec, moment.local)) continue
    if (hasCalendarSlot(spec, moment, isRepeat, zone)) slots.push(second * 1000)
    for (const slot of intervalSlots(spec, second, createdAt)) if (slot !== slots.at(-1)) slots.push(slot)
  }
  const start = spec.start_at === undefined ? from : Math.max(from, Date.parse(spec.start_at))
  const end = spec.end_at === undefined ? to - 1 : Math.min(to - 1, Date.parse(spec.end_at))
  return [...new Set(slots)].sort((a, b) => a - b).filter(slot => slot >= start && slot <= end)
}

type Entry = number | string | { start: number | string; end?: number | string; step?: number | string }
type Field = Entry | Entry[]
export type OracleCalendar = {
  readonly [name in (typeof FIELDS)[number]]?: Field
}
export type OracleSpec = {
  readonly time_zone?: string
  readonly calendars?: readonly OracleCalendar[]
  readonly exclude?: readonly OracleCalendar[]
  readonly intervals?: readonly { every: number; offset?: number; anchor?: string }[]
  readonly start_at?: string
  readonly end_at?: string
}

const FIELDS = ['year', 'month', 'day_of_month', 'day_of_week', 'hour', 'minute', 'second'] as const
/** A clock is put back by a day at most. */
const LONGEST_REPEAT = 25 * 3600

const hasCalendarSlot = (spec: OracleSpec, moment: Moment, isRepeat: boolean, zone: OracleZone): boolean =>
  (spec.calendars ?? []).some(calendar => {
    const isHourly = calendar.hour === '*' || (Array.isArray(calendar.hour) && calendar.hour.includes('*'))
    if (matches(calendar, moment.local, 0) && (isHourly || !isRepeat)) return true
    const gap = zone.gapBefore(moment)
    const moved = isHourly ? gap % 3600 : gap
    for (let local = moment.local - moved; local < moment.local; local++)
      if (matches(calendar, local, 0) && !isExcluded(spec, local)) return true
    return false
  })

const isExcluded = (spec: OracleSpec, local: number): boolean =>
  (spec.exclude ?? []).some(calendar => matches(calendar, local, '*'))

const matches = (calendar: OracleCalendar, local: number, time: 0 | '*'): boolean => {
  const clock = new Date(local * 1000)
  return (
    hits(calendar.second ?? time, clock.getUTCSeconds()) &&
    hits(calendar.minute ?? time, clock.getUTCMinutes()) &&
    hits(calendar.hour ?? time, clock.getUTCHours()) &&
    (hits(calendar.day_of_week ?? '*', clock.getUTCDay()) ||
      (clock.getUTCDay() === 0 && hits(calendar.day_of_week ?? '*', 7))) &&
    hits(calendar.day_of_month ?? '*', clock.getUTCDate()) &&
    hits(calendar.month ?? '*', clock.getUTCMonth() + 1) &&
    hits(calendar.year ?? '*', clock.getUTCFullYear())
  )
}

const hits = (field: Field, value: number): boolean => {
  if (Array.isArray(field)) return field.some(entry => hits(entry, value))
  if (typeof field !== 'object') return field === '*' || number(field) === value
  const start = number(field.start)
  return value >= start && value <= number(field.end ?? field.start) && (value - start) % number(field.step ?? 1) === 0
}

const NAMES = 'sun mon tue wed thu fri sat'.split(' ')
const MONTHS = ' jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')

const number = (value: number | string): number => {
  if (typeof value === 'number') return value
  const short = value.toLowerCase().slice(0, 3)
  return NAMES.includes(short) ? NAMES.indexOf(short) : MONTHS.includes(short) ? MONTHS.indexOf(short) : Number(value)
}

const intervalSlots = (spec: OracleSpec, second: number, createdAt: number): readonly number[] =>
  (spec.intervals ?? []).flatMap(({ every, offset = 0, anchor = 'epoch' }) => {
    const origin = (anchor === 'epoch' ? 0 : anchor === 'creation' ? createdAt : Date.parse(anchor)) + offset
    // No interval is shorter than the second in which it is looked for.
    const ahead = (((origin - second * 1000) % every) + every) % every
    return ahead < 1000 ? [second * 1000 + ahead] : []
  })
