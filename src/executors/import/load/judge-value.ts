import { quoteText } from '../../../warehouse/quote-text.ts'
import { type ColumnType, readColumnType } from './column-type.ts'
import { isNested, judgeNested } from './judge-nested.ts'
import { parseIPv6 } from './parse-address.ts'
import { parseGeometry } from './parse-geometry.ts'
import { type Parsed, parseDecimal, parseFloating, parseInteger } from './parse-number.ts'
import { parseClock, parseDate, parseDateTime, parseDateTime64 } from './parse-time.ts'

/** A value to convert: of a column, or in a list, map or tuple. */
export type ValueText = {
  readonly type: string
  /** SQL: the text, or NULL if there is none. For nested types, `exactJson`. */
  readonly text: string
  /** An empty text is NULL, as in CSV, which cannot express it otherwise. */
  readonly emptyIsNull: boolean
  readonly isUtf8: boolean
  /** How many lists and objects contain it. */
  readonly depth: number
}

export type JudgedValue = {
  /** SQL: of the type, or NULL; anything if it does not fit. */
  readonly value: string
  /** SQL: 1 if it does not fit; never NULL. */
  readonly isBad: string
}

/** A nested value fits if it would fit by itself. */
export const judgeValue = (given: ValueText): JudgedValue => {
  const columnType = readColumnType(given.type)
  if (columnType.base === 'String') return judgeText(given, columnType)
  if (isNested(columnType)) return judgeNested(columnType, given, judgeValue)
  return judgeScalar(given, columnType)
}

const judgeText = ({ text, emptyIsNull, isUtf8 }: ValueText, { nullable }: ColumnType): JudgedValue => {
  const value = nullable && emptyIsNull ? `if(${text} IN ('', '\\\\N'), NULL, ${text})` : text
  const isGarbled = isUtf8 ? '0' : `NOT isValidUTF8(assumeNotNull(${text}))`
  const isBad = nullable ? `(isNotNull(${text}) AND ${isGarbled})` : `(isNull(${text}) OR ${isGarbled})`
  return { value, isBad }
}

const judgeScalar = ({ text, emptyIsNull }: ValueText, columnType: ColumnType): JudgedValue => {
  const { value: read, isOdd } = parse(columnType, text)
  const isNull = columnType.nullable && emptyIsNull && TAKES_ALL.test(columnType.name)
  const value = isNull ? `if(${text} IN ('', '\\\\N'), NULL, ${read})` : read
  const isMissing = `(isNull(${text}) OR ${text} IN ('', '\\\\N'))`
  const isNoValue = isOdd === null ? `isNull(${value})` : `(isNull(${value}) OR ifNull(${isOdd}, 1))`
  return { value, isBad: columnType.nullable ? `(${isNoValue} AND NOT ${isMissing})` : isNoValue }
}

/** Types in which an empty text may be a value, as in String. */
const TAKES_ALL = /^(FixedString|Enum8|Enum16)$/

const parse = ({ name, base, parts }: ColumnType, text: string): Parsed => {
  if (/^U?Int\d+$/.test(name)) return parseInteger(base, text)
  // The engine's cast of a text throws if it is not a number.
  if (name.startsWith('Interval'))
    return { value: `CAST(${parseInteger('Int64', text).value} AS Nullable(${base}))`, isOdd: null }
  switch (name) {
    case 'BFloat16':
    case 'Float32':
    case 'Float64':
      return parseFloating(base, text)
    case 'Decimal':
    case 'Decimal32':
    case 'Decimal64':
    case 'Decimal128':
    case 'Decimal256':
      return parseDecimal({ name, base, parts }, text)
    case 'Date':
      return parseDate(text, `toDate`, ['1970-01-01', '2149-06-06'])
    case 'Date32':
      return parseDate(text, `toDate32`, ['1900-01-01', '2299-12-31'])
    case 'DateTime':
      return parseDateTime(text, parts[0] ?? "'UTC'")
    case 'DateTime64':
      return parseDateTime64(text, parts[0] ?? '3', parts[1] ?? "'UTC'")
    case 'Time':
    case 'Time64':
      return parseClock(base, text)
    case 'Geometry':
      return parseGeometry(text)
    case 'IPv6':
      return parseIPv6(text)
    case 'Enum8':
    case 'Enum16':
      return {
        value: `CAST(if(${text} IN (${enumNames(parts).join(', ')}), ${text}, NULL) AS Nullable(${base}))`,
        isOdd: null,
      }
    default:
      return { value: `accurateCastOrNull(${text}, ${quoteText(base)})`, isOdd: null }
  }
}

/** Quoted, as in the type. */
const enumNames = (parts: readonly string[]): readonly string[] =>
  parts.map(part => /^'(?:[^'\\]|\\.)*'/.exec(part)?.[0] ?? "''")
