import { readColumnType } from '../load/column-type.ts'
import { hasLeaves, type Leaf } from './leaf-texts.ts'

/** Seconds: the end of a day is a time of it, as 24:00:00. */
const LAST = 86_400

const digitsOf = (type: string): string => readColumnType(type).parts[0]!

/** SQL: of a time of no day, which is read as one of 1970-01-01, the seconds. The type is the one that it is: to cast it to that would leave days out. */
export const secondsOf = (value: string, type: string): string =>
  `CAST(${value} AS Nullable(Decimal64(${digitsOf(type)})))`

/** SQL: 1 where it is none of a day; never NULL. */
export const isNoClock = (value: string, type: string): string =>
  `ifNull(${secondsOf(value, type)} NOT BETWEEN 0 AND ${LAST}, 0)`

/** SQL: its text, also of one that is none of a day. */
export const clockOf = (value: string, type: string): string => {
  const seconds = secondsOf(value, type)
  const clock = `toString(CAST(${seconds} AS Nullable(Time64(${digitsOf(type)}))))`
  return `if(${isNoClock(value, type)}, concat(toString(${seconds}), ' seconds'), ${clock})`
}

/** Times of no day among other values. */
export const CLOCKS: Leaf = { pattern: /`(?:[^`\\]|\\.)*`|\bTime64\(\d\)/g, write: clockOf }

export const hasClocks = (type: string): boolean => hasLeaves(CLOCKS, type)

/** The type as which they are read. */
export const withMoments = (type: string): string =>
  type.replace(CLOCKS.pattern, found => (found.startsWith('`') ? found : `Date${found.slice(0, -1)}, 'UTC')`))
