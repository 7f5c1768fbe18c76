import { parseDuration } from '../../kernel/quantity.ts'
import type { Report } from './fault.ts'
import type { Interval } from './interval-slots.ts'
import { readTime } from './read-time.ts'
import type { IntervalSpec } from './schedule-schema.ts'

/** Limits of `every`. A year is 365¼ days, as in `parseDuration`. */
const SHORTEST = 1000
const LONGEST = parseDuration('1y')

/** Parses an interval. Faults are reported below `path`; the interval must not be used then. */
export const readInterval = (input: {
  spec: IntervalSpec
  /** When the workflow was created, for the anchor `creation`. */
  createdAt: number
  path: string
  report: Report
}): Interval => {
  const { spec, createdAt, path, report } = input
  const every = readDuration(spec.every, `${path}.every`, report)
  const offset = readDuration(spec.offset ?? 0, `${path}.offset`, report)
  if (every < SHORTEST || every > LONGEST) report(`${path}.every`, 'must be from 1 second to 1 year')
  else if (offset >= every) report(`${path}.offset`, 'must be shorter than every')
  return { every, offset, anchor: readAnchor(spec.anchor ?? 'epoch', createdAt, path, report) }
}

const readAnchor = (anchor: string, createdAt: number, path: string, report: Report): number => {
  if (anchor === 'epoch') return 0
  if (anchor === 'creation') return createdAt
  return readTime(anchor, `${path}.anchor`, (at, message) => report(at, `${message}, "epoch" or "creation"`))
}

/** Milliseconds; NaN, for which all comparisons are false, if it cannot be parsed. */
export const readDuration = (value: number | string, path: string, report: Report): number => {
  const ms = typeof value === 'number' ? value : parse(value)
  if (Number.isSafeInteger(ms)) return ms
  report(path, 'must be a duration of whole milliseconds such as "30s", "5m" or "1h30m"')
  return Number.NaN
}

const parse = (text: string): number => {
  try {
    return parseDuration(text)
  } catch {
    return Number.NaN
  }
}
