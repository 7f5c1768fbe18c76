import { quoteText } from '../../../warehouse/quote-text.ts'
import type { ColumnType } from '../load/column-type.ts'
import type { Converted } from '../load/reader.ts'

const INTEGER = /^U?Int(8|16|32|64)$/

/** Years that a column of times accepts in every zone, whatever its type. */
const PLAIN_YEARS = [`toDateTime64('1971-01-01 00:00:00', 0, 'UTC')`, `toDateTime64('2105-12-31 23:59:59', 0, 'UTC')`]

/** Integers that a double holds exactly. */
const EXACT_INTEGERS = [-(2 ** 53), 2 ** 53]

/**
 * Converts the common types of a file to those of columns, as their texts would be, in a fraction of the time. null: only texts do. `place`: SQL, the file's
 * value.
 */
export const convertedValue = (place: string, source: ColumnType, target: ColumnType): Converted | null => {
  if (INTEGER.test(source.name) && INTEGER.test(target.name)) {
    const value = `accurateCastOrNull(${place}, ${quoteText(target.base)})`
    return { value, isExact: `isNotNull(${value})` }
  }
  if (INTEGER.test(source.name) && target.name === 'Float64')
    return { value: `toFloat64(${place})`, isExact: isBetween(place, EXACT_INTEGERS) }
  if (source.name === 'Date32' && target.name === 'Date')
    return {
      value: `toDate(${place})`,
      isExact: isBetween(place, [`toDate32('1970-01-01')`, `toDate32('2149-06-06')`]),
    }
  if (source.name === 'DateTime64' && source.parts[1] === "'UTC'") return convertedTime(place, target)
  return null
}

/** A column of fewer digits takes a time as it is only if the others are zero. */
const convertedTime = (place: string, { name, parts }: ColumnType): Converted | null => {
  const isPlain = isBetween(place, PLAIN_YEARS)
  if (name === 'DateTime') return { value: `toDateTime(${place}, ${parts[0] ?? "'UTC'"})`, isExact: isPlain }
  if (name !== 'DateTime64') return null
  const value = `toDateTime64(${place}, ${parts[0] ?? 3}, ${parts[1] ?? "'UTC'"})`
  return { value, isExact: `if(${isPlain}, ${value} = ${place}, 0)` }
}

/** SQL: never NULL. */
const isBetween = (place: string, [first, last]: readonly (string | number)[]): string =>
  `ifNull(${place} BETWEEN ${first} AND ${last}, 0)`
