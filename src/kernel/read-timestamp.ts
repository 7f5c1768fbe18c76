export type ReadTimestamp =
  | { readonly type: 'time'; readonly epochMs: number }
  | { readonly type: 'wrong'; readonly message: string }

const RFC_3339 =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[Tt](?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:\.\d+)?(?:[Zz]|[+-](?<offsetHour>\d{2}):(?<offsetMinute>\d{2}))$/

type Fields = Readonly<Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>> & {
  readonly offset: { readonly hour: number; readonly minute: number }
}

/**
 * Parses a time strictly as RFC 3339. Rejects other formats, and days and hours that do not exist, which `Date` would turn into another time. A leap
 * second (`:60`) is valid only where section 5.7 allows it, at 23:59 UTC on the last day of a month; it counts as the following second, as in Unix
 * time. Digits below a millisecond are truncated.
 */
export const readTimestamp = (text: string): ReadTimestamp => {
  const groups = RFC_3339.exec(text)?.groups
  if (groups === undefined) return wrong(' such as 2026-11-21T09:00:00Z')
  const number = (name: string): number => Number(groups[name] ?? 0)
  const fields: Fields = {
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
    offset: { hour: number('offsetHour'), minute: number('offsetMinute') },
  }
  const fault = faultOf(fields)
  if (fault !== null) return wrong(`: ${fault}`)
  if (fields.second !== 60) return { type: 'time', epochMs: Date.parse(text) }
  const before = Date.parse(text.replace(/:60(?=[.Zz+-])/, ':59'))
  return isEndOfMonth(before) ? { type: 'time', epochMs: before + 1000 } : wrong(`: ${LEAP_SECOND}`)
}

const LEAP_SECOND = 'second 60 is a leap second, at 23:59:60Z on the last day of a month'

const wrong = (what: string): ReadTimestamp => ({ type: 'wrong', message: `must be an RFC 3339 time${what}` })

const faultOf = ({ year, month, day, hour, minute, second, offset }: Fields): string | null => {
  if (month < 1 || month > 12) return 'months are 01 to 12'
  const days = daysOf(year, month)
  if (day < 1 || day > days) return `${toDigits(year, 4)}-${toDigits(month, 2)} has days 01 to ${days}`
  if (hour > 23) return 'hours are 00 to 23, and the end of a day is 00:00:00 of the next'
  if (minute > 59) return 'minutes are 00 to 59'
  if (second > 60) return 'seconds are 00 to 59'
  if (offset.hour > 23 || offset.minute > 59) return 'offsets are -23:59 to +23:59'
  return null
}

const daysOf = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

const toDigits = (number: number, digits: number): string => String(number).padStart(digits, '0')

/** Whether a time lies in the last second of a month in UTC. */
const isEndOfMonth = (epochMs: number): boolean => {
  const next = new Date(Math.floor(epochMs / 1000) * 1000 + 1000)
  return next.getUTCDate() === 1 && next.getTime() % 86_400_000 === 0
}
