import { hasLeaves, type Leaf, replaceLeaves } from './leaf-texts.ts'

/** 1900-01-01, the engine's first date, in days since 1970. */
const FIRST_DAY = -25_567
/** The calendar repeats after this many years, which is just the range of the engine's dates. */
const CYCLE = { years: 400, days: 146_097 } as const

/** SQL: the text of a date of any year, given in days since 1970. */
export const dateOfDays = (days: string): string => {
  const cycles = `toInt64(floor((toInt64(${days}) - ${FIRST_DAY}) / ${CYCLE.days}))`
  const date = `toDate32(toInt32(${days} - ${cycles} * ${CYCLE.days}))`
  return `concat(leftPad(toString(toYear(${date}) + ${cycles} * ${CYCLE.years}), 4, '0'), substring(toString(${date}), 5))`
}

/** Dates in other values, read as days, as texts. Matches the type, not an element of a tuple with that name. */
export const DATES: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDate32\b(?=\s*[,)]|\s*$)/g, write: dateOfDays }

export const hasDates = (type: string): boolean => hasLeaves(DATES, type)

/** The type to read a file's dates as if some are out of the engine's range: it would refuse the file, or clamp them. */
export const withDays = (type: string): string => replaceLeaves(DATES, type, 'Int32')
