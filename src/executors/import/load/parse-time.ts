import { quoteText } from '../../../warehouse/quote-text.ts'
import type { Parsed } from './parse-number.ts'

const YEAR = '([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])'
const MONTH = '(0[1-9]|1[0-2])'
const DAY = '(0[1-9]|[12][0-9]|3[01])'
const HOUR = '([01][0-9]|2[0-3])'
const UP_TO_59 = '[0-5][0-9]'
/** One or two digits. */
const ANY_DAY = '(0?[1-9]|[12][0-9]|3[01])'
const ANY_MONTH = '(0?[1-9]|1[0-2])'
const MONTH_NAME = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*'
const ZONE = `(Z|[+-]${HOUR}(:?${UP_TO_59})?)?`
const CLOCK = `${HOUR}:${UP_TO_59}(:${UP_TO_59}([.][0-9]+)?)?`

/** Times as programs write them, in years that are in range in every zone. */
const PLAIN = quoteText(`^(19(7[1-9]|[89][0-9])|20[0-9]{2}|210[0-5])-${MONTH}-${DAY}([ T]${CLOCK}${ZONE})?$`)

/** Forms with a complete date: without one, the engine assumes the present month, and without a month or day the first. */
const DATED = quoteText(
  [
    // Seconds and smaller units since 1970.
    '^([0-9]{9,10}([.][0-9]+)?|[0-9]{13}|[0-9]{16}|[0-9]{19})$',
    `^${YEAR}${MONTH}${DAY}([ T]?${HOUR}${UP_TO_59}${UP_TO_59}([.][0-9]+)?|[ T]${HOUR}:.*)?(Z|[+-][0-9:]+)?$`,
    `(^|[ ,])${YEAR}[-/.: ]${ANY_MONTH}[-/.: ]${ANY_DAY}([^0-9]|$)`,
    // Day first. The engine also accepts 12/31/2024, but reads 12/11/2024 next to it as the 12th of November.
    `(^|[ ,])${ANY_DAY}[-/.]${ANY_MONTH}[-/.](${YEAR}|[0-9]{2})([^0-9]|$)`,
    `(?i)(^|[ ,])${ANY_DAY}[-/ ]*${MONTH_NAME}[-/., ]*(${YEAR}|[0-9]{2})([^0-9:]|$)`,
    `(?i)(^|[ ,])${MONTH_NAME}[-/., ]*${ANY_DAY}[-/, ]+${YEAR}([^0-9:]|$)`,
    `(?i)(^|[ ,])${MONTH_NAME} +${ANY_DAY} +${CLOCK} +([A-Z]+ +)?${YEAR}$`,
  ]
    .map(form => `(${form})`)
    .join('|'),
)

/** With dots nobody writes the month first. */
const DOTTED = quoteText(`^${ANY_DAY}[.]${ANY_MONTH}[.]${YEAR}$`)

/** Minutes and seconds above 59 and hours above 23, which the engine carries over. */
const OVERFLOWN = quoteText(
  ':[6-9][0-9]|(^|[^0-9.:])(2[4-9]|[3-9][0-9]):|^[0-9]{4}.[0-9]+.[0-9]+[ T]+(2[4-9]|[3-9][0-9])',
)

/** A value that formats back to the same text was read right, and formatting is faster than matching a pattern. NULL for NULL. */
const isWritten = (value: string, text: string): string => `formatDateTime(assumeNotNull(${value}), '%F %T') = ${text}`

/** For a text that the engine has read but would not write like this. Fewer than eight characters cannot hold a date. */
const isOddTime = (text: string, isInRange: string): string =>
  `(NOT match(${text}, ${PLAIN}) AND NOT (length(${text}) >= 8 AND match(${text}, ${DATED}) AND NOT match(${text}, ${OVERFLOWN}) AND ${isInRange}))`

/** The engine clamps times out of range. Its parser of one form accepts much else, too, but takes half the time of the other. */
export const parseDateTime = (text: string, zone: string): Parsed => {
  const plain = `toDateTimeOrNull(${text}, ${zone})`
  const isPlain = isWritten(plain, text)
  const value = `if(${isPlain}, ${plain}, parseDateTimeBestEffortOrNull(${text}, ${zone}))`
  const isOdd = isOddTime(text, `toInt64(${value}) = toInt64(${parse64(text, '3', zone)})`)
  return { value, isOdd: `if(${isPlain}, 0, ${isOdd})` }
}

/** At scale 0, the parser only knows the years of a DateTime. */
export const parseDateTime64 = (text: string, scale: string, zone: string): Parsed => {
  const value = scale === '0' ? `toDateTime64(${parse64(text, '3', zone)}, 0, ${zone})` : parse64(text, scale, zone)
  return { value, isOdd: `if(${isWritten(value, text)}, 0, ${isOddTime(text, '1')})` }
}

const parse64 = (text: string, scale: string, zone: string): string =>
  `parseDateTime64BestEffortOrNull(${text}, ${scale}, ${zone})`

/**
 * ClickHouse reads 2021-02-30 as 2021-03-02 and clamps dates out of range; its parser of times does not. A date that formats back to the same text was read
 * right.
 */
export const parseDate = (text: string, convert: string, [first, last]: readonly [string, string]): Parsed => {
  const read = parse64(text, '3', "'UTC'")
  const plain = `accurateCastOrNull(${text}, 'Date32')`
  const day = `if(isNull(${plain}), if(match(${text}, ${DOTTED}), toDate32(${read}), NULL), ${plain})`
  const isMidnight = `${read} = toDateTime64(${day}, 3, 'UTC')`
  const isRead = `if(toString(${day}) = ${text}, 1, ${isMidnight} AND match(${text}, ${DATED}))`
  const isInRange = `${day} BETWEEN toDate32('${first}') AND toDate32('${last}')`
  return { value: `${convert}(${day})`, isOdd: `NOT (${isInRange} AND ${isRead})` }
}

/** A time without a date. The engine reads two numbers as minutes and seconds, and one as seconds. */
export const parseClock = (base: string, text: string): Parsed => ({
  value: `accurateCastOrNull(${base === 'Time' ? `replaceRegexpOne(${text}, '[.][0-9]+$', '')` : text}, ${quoteText(base)})`,
  isOdd: `NOT match(${text}, '^-?[0-9]{1,3}:${UP_TO_59}:${UP_TO_59}([.][0-9]+)?$')`,
})
