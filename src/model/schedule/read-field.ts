import { CALENDAR_FIELDS, type CalendarField, readValue } from './calendar-fields.ts'
import type { Report } from './fault.ts'
import type { CalendarSpec } from './schedule-schema.ts'

/** The numbers that a calendar field includes. */
export type FieldValues = {
  readonly values: ReadonlySet<number>
  /** It was `"*"`, alone or in a list. */
  readonly any: boolean
}

type FieldName = keyof typeof CALENDAR_FIELDS
type FieldSpec = NonNullable<CalendarSpec[FieldName]>
type Entry = Exclude<FieldSpec, readonly unknown[]>
type Range = Exclude<Entry, number | string>

/** Parses one field: `"*"`, a value, a range or a list of them. Reports every wrong value. */
export const readField = (name: FieldName, spec: FieldSpec, path: string, report: Report): FieldValues => {
  const field = CALENDAR_FIELDS[name]
  const values = new Set<number>()
  const entries: readonly (readonly [Entry, string])[] = Array.isArray(spec)
    ? (spec as readonly Entry[]).map((entry, index) => [entry, `${path}.${index}`])
    : [[spec as Entry, path]]
  for (const [entry, entryPath] of entries)
    for (const value of readEntry(field, entry, entryPath, report)) values.add(value)
  // Both numbers of Sunday are accepted, so that FRIDAY to SUNDAY and 5 to 7 are valid ranges; only 0 is kept.
  if (name === 'day_of_week' && values.delete(7)) values.add(0)
  return { values, any: entries.some(([entry]) => isAny(entry)) }
}

const isAny = (entry: Entry): boolean => typeof entry === 'string' && entry.trim() === '*'

const readEntry = (field: CalendarField, entry: Entry, path: string, report: Report): readonly number[] => {
  if (isAny(entry)) return range(field.min, field.max, 1)
  if (typeof entry === 'object') return readRange(field, entry, path, report)
  const value = readValue(field, entry)
  if (typeof value === 'number') return [value]
  report(path, value)
  return []
}

const readRange = (field: CalendarField, spec: Range, path: string, report: Report): readonly number[] => {
  const first = readValue(field, spec.start)
  const last = readValue(field, spec.end ?? spec.start)
  const step = Number(spec.step ?? 1)
  if (typeof first === 'string') report(`${path}.start`, first)
  if (typeof last === 'string' && spec.end !== undefined) report(`${path}.end`, last)
  if (!Number.isInteger(step) || step < 1) {
    report(`${path}.step`, 'must be a whole number from 1')
    return []
  }
  if (typeof first === 'string' || typeof last === 'string') return []
  // A range that ends with the week: SATURDAY to SUNDAY.
  const end = field === CALENDAR_FIELDS.day_of_week && last === 0 && first > 0 ? 7 : last
  if (first > end) report(path, 'must not start after its end')
  return range(first, end, step)
}

const range = (first: number, last: number, step: number): readonly number[] => {
  const values: number[] = []
  for (let value = first; value <= last; value += step) values.push(value)
  return values
}
