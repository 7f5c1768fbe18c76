import { dateOfDays } from './date-days.ts'

/** The type to read 12-byte times as if some are out of the engine's range: it would refuse the file. */
export const withTwelveBytes = (type: string): string => type.replace(/DateTime64\([^)]*\)/, 'FixedString(12)')

/** 1970-01-01 as a Julian day. */
const FIRST_DAY = 2_440_588
const DAY = { nanoseconds: '86400000000000', second: '1000000000' } as const

/** SQL: the text of an INT96 time, as Impala and Spark write it: nanoseconds of the day, then the day. */
export const int96Text = (bytes: string): string => {
  const text = `CAST(${bytes} AS Nullable(String))`
  const nanoseconds = `reinterpretAsInt64(substring(${text}, 1, 8))`
  const day = `toInt64(reinterpretAsInt32(substring(${text}, 9, 4)))`
  const days = `(${day} - ${FIRST_DAY} + toInt64(floor(${nanoseconds} / ${DAY.nanoseconds})))`
  const ofDay = `positiveModulo(${nanoseconds}, toInt64(${DAY.nanoseconds}))`
  const clock = `formatDateTime(toDateTime(intDiv(${ofDay}, ${DAY.second}), 'UTC'), '%T')`
  return `concat(${dateOfDays(days)}, ' ', ${clock}, '.', leftPad(toString(${ofDay} % ${DAY.second}), 9, '0'))`
}
