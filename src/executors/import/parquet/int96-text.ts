import { dateOfDays } from './date-days.ts'

/** The type as which times of twelve bytes are read when some are out of the range that the engine has for them: it would refuse the file. */
export const withTwelveBytes = (type: string): string => type.replace(/DateTime64\([^)]*\)/, 'FixedString(12)')

/** Of 1970-01-01, in days of the Julian period. */
const FIRST_DAY = 2_440_588
const DAY = { nanoseconds: '86400000000000', second: '1000000000' } as const

/** SQL: the text of a time of INT96, as Impala and Spark write it: nanoseconds of a day, and the day. */
export const int96Text = (bytes: string): string => {
  const text = `CAST(${bytes} AS Nullable(String))`
  const nanoseconds = `reinterpretAsInt64(substring(${text}, 1, 8))`
  const day = `toInt64(reinterpretAsInt32(substring(${text}, 9, 4)))`
  const days = `(${day} - ${FIRST_DAY} + toInt64(floor(${nanoseconds} / ${DAY.nanoseconds})))`
  const ofDay = `positiveModulo(${nanoseconds}, toInt64(${DAY.nanoseconds}))`
  const clock = `formatDateTime(toDateTime(intDiv(${ofDay}, ${DAY.second}), 'UTC'), '%T')`
  return `concat(${dateOfDays(days)}, ' ', ${clock}, '.', leftPad(toString(${ofDay} % ${DAY.second}), 9, '0'))`
}
