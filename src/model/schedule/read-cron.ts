import { CronPattern } from 'croner'
import type { Calendar } from './calendar.ts'
import type { Report } from './fault.ts'
import { ALL_DAYS, daysOfMonth, firstWeekday, type MonthDays, weekdayPatterns } from './month-days.ts'
import { numberSet } from './number-set.ts'

/**
 * Parses a cron with five or six fields, or a name such as `@daily`, as `croner` does: names, ranges, steps, lists, `L`, `W`, `#`, and days of month and of
 * week united unless the latter starts with `+`.
 * Only the parser is croner's; slots are found as for a calendar. If the hour is a list or a range, croner skips times in a gap and runs repeated times twice,
 * which is not our rule. It is also slower.
 */
export const readCron = (text: string, path: string, report: Report): Calendar | null => {
  const pattern = parse(text, path, report)
  if (pattern === null) return null
  return {
    days: daysFrom(pattern),
    hours: numberSet(24, hour => pattern.hour[hour] === 1),
    minutes: numberSet(60, minute => pattern.minute[minute] === 1),
    seconds: numberSet(60, second => pattern.second[second] === 1),
    everyHour: isEveryHour(pattern),
  }
}

const CRON_NAME = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/i
const NAMES = '@yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly'

const parse = (text: string, path: string, report: Report): CronPattern | null => {
  const fields = text.trim().split(/\s+/)
  // croner's own message would ask for five, six or seven fields, although seven are not accepted in this mode.
  if (fields.length !== 5 && fields.length !== 6 && !(fields.length === 1 && CRON_NAME.test(fields[0]!))) {
    report(path, `is not a cron: it must have five or six fields, or be one of ${NAMES}`)
    return null
  }
  try {
    return new CronPattern(text, undefined, { mode: '5-or-6-parts' })
  } catch (error) {
    // A TypeError or RangeError: croner has no error class of its own.
    report(path, `is not a cron: ${(error as Error).message.replace(/^CronPattern: /, '')}`)
    return null
  }
}

/** The hour is `*` or `?`, alone or in a list. `*\/1` and `0-23` mean hours of the clock. */
const isEveryHour = ({ pattern }: CronPattern): boolean => {
  const fields = pattern.trim().split(/\s+/)
  return fields
    .at(-4)!
    .split(',')
    .some(hour => hour === '*' || hour === '?')
}

/** croner's weekdays have a bit for each of the first five in a month, and this one for the last. */
const LAST_OF_MONTH = 32

/** Keeps what it needs instead of the pattern, whose list of ten thousand years takes 80 kB. */
const daysFrom = (pattern: CronPattern): MonthDays => {
  const months = bits(pattern.month)
  const fixedDays = bits(pattern.day)
  const movable = movableDays(pattern)
  const weekdays = pattern.starDOW ? null : weekdaysFrom(pattern.dayOfWeek)
  const areBothNeeded = pattern.useAndLogic || pattern.starDOM
  return (year, month) => {
    if (((months >> (month - 1)) & 1) === 0) return 0
    const all = daysOfMonth(year, month)
    const monthly = (fixedDays | movable(year, month)) & all
    if (weekdays === null) return monthly
    const weekly = weekdays(year, month) & all
    return areBothNeeded ? monthly & weekly : monthly | weekly
  }
}

const bits = (flags: readonly number[]): number => flags.reduce((set, flag, index) => set | (flag ? 1 << index : 0), 0)

/** `L`, `LW` and `15W`: days of the month that depend on the month. */
const movableDays = ({ lastDayOfMonth, lastWeekday, nearestWeekdays }: CronPattern): MonthDays => {
  const nearest = nearestWeekdays.flatMap((flag, index) => (flag ? [index + 1] : []))
  return (year, month) => {
    const last = 32 - Math.clz32(daysOfMonth(year, month))
    let days = lastDayOfMonth ? 1 << (last - 1) : 0
    if (lastWeekday) days |= 1 << (lastWorkday(year, month, last) - 1)
    for (const day of nearest) if (day <= last) days |= 1 << (nearestWorkday(year, month, day, last) - 1)
    return days
  }
}

const SUNDAY = 0
const SATURDAY = 6

const weekday = (year: number, month: number, day: number): number => (firstWeekday(year, month) + day - 1) % 7

const lastWorkday = (year: number, month: number, last: number): number => {
  const on = weekday(year, month, last)
  return on === SUNDAY ? last - 2 : on === SATURDAY ? last - 1 : last
}

/** The working day nearest to a day, within the same month. */
const nearestWorkday = (year: number, month: number, day: number, last: number): number => {
  const on = weekday(year, month, day)
  if (on === SUNDAY) return day === last ? day - 2 : day + 1
  if (on === SATURDAY) return day === 1 ? day + 2 : day - 1
  return day
}

/** Weekdays, with `#` and `L`. */
const weekdaysFrom = (dayOfWeek: readonly number[]): MonthDays => {
  const patterns = Array.from({ length: 7 }, (_, on) => ({ days: weekdayPatterns(1 << on), which: dayOfWeek[on]! }))
  return (year, month) => {
    const first = firstWeekday(year, month)
    return patterns.reduce((days, one) => days | chosen(one.days[first]! & daysOfMonth(year, month), one.which), 0)
  }
}

/** The days that `which` selects from the days of a month on one weekday. */
const chosen = (days: number, which: number): number => {
  let left = days
  let found = 0
  for (let nth = 0; left !== 0; nth++) {
    const lowest = left & -left
    left ^= lowest
    if ((which >> nth) & 1 || (left === 0 && which & LAST_OF_MONTH)) found |= lowest
  }
  return found & ALL_DAYS
}
