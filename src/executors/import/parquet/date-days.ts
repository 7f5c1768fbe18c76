import { readColumnType, tupleElements } from '../load/column-type.ts'

/** A type of a date among others, not a name that a tuple has for something. */
const DATE = /`(?:[^`\\]|\\.)*`|\bDate32\b(?=\s*[,)]|\s*$)/g

const replaceDates = (type: string, by: string): string =>
  type.replace(DATE, found => (found === 'Date32' ? by : found))

export const hasDates = (type: string): boolean => replaceDates(type, '') !== type

/**
 * The type as which dates of a file are read when some are out of the range that the engine has for them: it would refuse the file, or take
 * the end of the range for them.
 */
export const withDays = (type: string): string => replaceDates(type, 'Int32')

/** SQL: of a value that was read with its dates as days, the same with its dates as texts. */
export const datesOfDays = (type: string, value: string, depth = 0): string => {
  if (!hasDates(type)) return value
  const { name, parts } = readColumnType(type)
  const [element, key] = [`d${depth}`, `k${depth}`]
  const inside = (part: string, of: string) => datesOfDays(part, of, depth + 1)
  switch (name) {
    case 'Array':
      return `arrayMap(${element} -> ${inside(parts[0]!, element)}, ${value})`
    case 'Map':
      return `mapApply((${key}, ${element}) -> (${inside(parts[0]!, key)}, ${inside(parts[1]!, element)}), ${value})`
    case 'Tuple': {
      const elements = tupleElements(parts).map((part, index) =>
        inside(part.type, `tupleElement(${value}, ${index + 1})`),
      )
      return `CAST(tuple(${elements.join(', ')}) AS ${replaceDates(type, 'String')})`
    }
    default:
      return dateOfDays(value)
  }
}

/** Of 1900-01-01, the first date that the engine has, in days since 1970. */
const FIRST_DAY = -25_567
/** After so many years the calendar begins anew: just as many as the engine's dates have. */
const CYCLE = { years: 400, days: 146_097 } as const

const dateOfDays = (days: string): string => {
  const cycles = `toInt64(floor((toInt64(${days}) - ${FIRST_DAY}) / ${CYCLE.days}))`
  const date = `toDate32(toInt32(${days} - ${cycles} * ${CYCLE.days}))`
  return `concat(leftPad(toString(toYear(${date}) + ${cycles} * ${CYCLE.years}), 4, '0'), substring(toString(${date}), 5))`
}
