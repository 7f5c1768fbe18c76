const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(?<month>${MONTHS.join('|')})`
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'

/** The preferred format, and the two obsolete ones that must still be accepted. */
const FORMS = [
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  new RegExp(`^${DAY} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
]

/**
 * Parses an HTTP date (RFC 9110, 5.6.7) to epoch ms; null if it is invalid, in which case the header is ignored. `now` determines the century of a two-digit
 * year.
 */
export const parseHttpDate = (text: string, now: number): number | null => {
  const groups = FORMS.map(form => form.exec(text)?.groups).find(found => found !== undefined)
  if (groups === undefined) return null
  const [day, hour, minute, second] = ['day', 'hour', 'minute', 'second'].map(name => Number(groups[name])) as [
    number,
    number,
    number,
    number,
  ]
  const month = MONTHS.indexOf(groups.month!)
  const year = groups.year!.length === 2 ? nearestYear(Number(groups.year), now) : Number(groups.year)
  const time = Date.UTC(year, month, day, hour, minute, second)
  // Date would take 30 February for a day in March. A leap second becomes the next second.
  return new Date(Date.UTC(year, month, day)).getUTCDate() === day && hour < 24 && minute < 60 && second <= 60
    ? time
    : null
}

/** A two-digit year more than 50 years in the future is in the previous century. */
const nearestYear = (digits: number, now: number): number => {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + digits
  return year > thisYear + 50 ? year - 100 : year
}

/** Epoch ms as an HTTP date, in whole seconds. */
export const toHttpDate = (time: number): string => new Date(time).toUTCString()
