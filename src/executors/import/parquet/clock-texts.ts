import { readColumnType } from '../load/column-type.ts'
import { hasLeaves, type Leaf } from './leaf-texts.ts'

/** In seconds. 24:00:00, the end of the day, is valid. */
const LAST = 86_400

const digitsOf = (type: string): string => readColumnType(type).parts[0]!

/** SQL: the seconds of a time without a date, which is read as a time of 1970-01-01. `type` is its real type: a cast to it would drop whole days. */
export const secondsOf = (value: string, type: string): string =>
  `CAST(${value} AS Nullable(Decimal64(${digitsOf(type)})))`

/** SQL: 1 if it is not a time of day; never NULL. */
export const isNoClock = (value: string, type: string): string =>
  `ifNull(${secondsOf(value, type)} NOT BETWEEN 0 AND ${LAST}, 0)`

/** SQL: its text, even if it is not a time of day. */
export const clockOf = (value: string, type: string): string => {
  const seconds = secondsOf(value, type)
  const clock = `toString(CAST(${seconds} AS Nullable(Time64(${digitsOf(type)}))))`
  return `if(${isNoClock(value, type)}, concat(toString(${seconds}), ' seconds'), ${clock})`
}

/** Times without a date in other values. */
export const CLOCKS: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bTime64\(\d\)/g, write: clockOf }

export const hasClocks = (type: string): boolean => hasLeaves(CLOCKS, type)

/** The type to read them as. */
export const withMoments = (type: string): string =>
  type.replace(CLOCKS.pattern, found => (found.startsWith('`') ? found : `Date${found.slice(0, -1)}, 'UTC')`))
