import { hasLeaves, type Leaf, replaceLeaves } from './leaf-texts.ts'

/** Of 1900-01-01, the first date that the engine has, in days since 1970. */
const FIRST_DAY = -25_567
/** After so many years the calendar begins anew: just as many as the engine's dates have. */
const CYCLE = { years: 400, days: 146_097 } as const

/** SQL: the text of a date in days since 1970, of any year. */
export const dateOfDays = (days: string): string => {
  const cycles = `toInt64(floor((toInt64(${days}) - ${FIRST_DAY}) / ${CYCLE.days}))`
  const date = `toDate32(toInt32(${days} - ${cycles} * ${CYCLE.days}))`
  return `concat(leftPad(toString(toYear(${date}) + ${cycles} * ${CYCLE.years}), 4, '0'), substring(toString(${date}), 5))`
}

/** Dates among other values that were read with dates as days, as texts. A type, not a name that a tuple has for something. */
export const DATES: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bDate32\b(?=\s*[,)]|\s*$)/g, write: dateOfDays }

export const hasDates = (type: string): boolean => hasLeaves(DATES, type)

/**
 * The type as which dates of a file are read when some are out of the range that the engine has for them: it would refuse the file, or take
 * the end of the range for them.
 */
export const withDays = (type: string): string => replaceLeaves(DATES, type, 'Int32')
