import type { Calendar } from './calendar.ts'
import type { Report } from './fault.ts'
import { ALL_DAYS, daysOfMonth, firstWeekday, type MonthDays, weekdayPatterns } from './month-days.ts'
import { type NumberSet, numberSet } from './number-set.ts'
import { type FieldValues, readField } from './read-field.ts'
import type { CalendarSpec } from './schedule-schema.ts'

/** The default of `second`, `minute` and `hour`: 0 in a calendar, any in `exclude`. */
export type TimeDefault = 0 | '*'

/** Parses a calendar. Faults are reported below `path`; the calendar must not be used then. */
export const readCalendar = (input: {
  spec: CalendarSpec
  timeDefault: TimeDefault
  path: string
  report: Report
}): Calendar => {
  const { spec, timeDefault, path, report } = input
  const read = (name: Exclude<keyof CalendarSpec, 'comment'>, byDefault: TimeDefault = '*'): FieldValues =>
    readField(name, spec[name] ?? byDefault, `${path}.${name}`, report)
  const hours = read('hour', timeDefault)
  return {
    days: daysFrom({
      years: read('year'),
      months: read('month'),
      daysOfMonth: read('day_of_month'),
      weekdays: read('day_of_week'),
    }),
    hours: setOf(24, hours),
    minutes: setOf(60, read('minute', timeDefault)),
    seconds: setOf(60, read('second', timeDefault)),
    everyHour: hours.any,
  }
}

const setOf = (size: number, { values }: FieldValues): NumberSet => numberSet(size, value => values.has(value))

const daysFrom = (fields: {
  years: FieldValues
  months: FieldValues
  daysOfMonth: FieldValues
  weekdays: FieldValues
}): MonthDays => {
  const years = fields.years.any ? null : fields.years.values
  const months = bits(fields.months.values)
  const days = fields.daysOfMonth.any ? ALL_DAYS : bits(fields.daysOfMonth.values) >>> 1
  const weekdays = fields.weekdays.any ? null : weekdayPatterns(bits(fields.weekdays.values))
  return (year, month) => {
    if (((months >> month) & 1) === 0 || (years !== null && !years.has(year))) return 0
    const monthly = daysOfMonth(year, month) & days
    return weekdays === null || monthly === 0 ? monthly : monthly & weekdays[firstWeekday(year, month)]!
  }
}

const bits = (values: ReadonlySet<number>): number => {
  let set = 0
  for (const value of values) set |= 1 << value
  return set
}
