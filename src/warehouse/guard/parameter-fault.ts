import { isPlainObject } from '../../kernel/plain-object.ts'
import { withoutEnd } from '../../kernel/without-end.ts'
import { LONGEST_SQL_BYTES } from './longest-sql.ts'
import { findQueryParameters } from './query-parameters.ts'
import { readType, type TypeTree } from './read-type.ts'

type Fault = { readonly name: string; readonly message: string }

/** The parameters whose values do not fit the types declared in the SQL. Skips parameters without a value, and SQL that is too long to run. */
export const parameterFaults = (sql: string, parameters: Readonly<Record<string, unknown>>): readonly Fault[] => {
  if (Object.keys(parameters).length === 0 || sql.length > LONGEST_SQL_BYTES) return []
  const faults = new Map<string, string>()
  const judged = new Map<string, Set<string>>()
  for (const { name, type } of findQueryParameters(sql)) {
    const types = judged.get(name) ?? new Set()
    if (!Object.hasOwn(parameters, name) || types.has(type) || types.size === MOST_TYPES) continue
    judged.set(name, types.add(type))
    const message = parameterFault(type, parameters[name])
    if (message !== null) faults.set(name, message)
  }
  return Array.from(faults, ([name, message]) => ({ name, message }))
}

/** The most types that one value is checked against. A value may be long, and be used in the SQL thousands of times. */
const MOST_TYPES = 3

/**
 * What is wrong with a value for a ClickHouse type; null: nothing. Covers only values that the engine would silently replace: 0 for 256 in a UInt8, 1 March for
 * 30 February, an empty text for null. Everything else the engine refuses itself.
 */
export const parameterFault = (type: string, value: unknown): string | null => faultOf(readType(type), value)

const faultOf = (type: TypeTree | undefined, value: unknown): string | null => {
  if (type === undefined || ANY.test(type.name)) return null
  const { name, parts, nullable } = type
  if (value === null) return nullable ? null : no('null', type)
  switch (name) {
    case 'Array':
      return Array.isArray(value) ? firstFault(value, () => parts[0]) : null
    case 'Map':
      return isPlainObject(value) ? firstFault(Object.values(value), () => parts[1]) : null
    case 'Tuple':
      return Array.isArray(value) ? firstFault(value, index => parts[index]) : null
    default:
      break
  }
  if (typeof value === 'object') return no(Array.isArray(value) ? 'a list' : 'an object', type)
  if (typeof value === 'number' && isRounded(name, value)) return ROUNDED
  return isOther(type, String(value)) ? no(JSON.stringify(value), type) : null
}

/** The JSON parser has already rounded such a number to the nearest Float64. */
const isRounded = (name: string, value: number): boolean =>
  /Float/.test(name) ? !Number.isFinite(value) : Math.abs(value) > Number.MAX_SAFE_INTEGER

const ROUNDED = 'must be a text: as a number, JSON has it rounded'

const no = (what: string, { text }: TypeTree): string => `must be of the type ${text.trim()}, which ${what} is not`

const firstFault = (values: readonly unknown[], typeAt: (index: number) => TypeTree | undefined): string | null => {
  for (const [index, value] of values.entries()) {
    const fault = faultOf(typeAt(index), value)
    if (fault !== null) return fault
  }
  return null
}

/** Types that hold values of several kinds, or names; and geometric types, which are tuples and arrays by other names. */
const ANY =
  /^(Identifier|Variant|Dynamic|JSON|Object|Nested|Point|Ring|LineString|MultiLineString|Polygon|MultiPolygon|)$/

const isOther = ({ name, parts }: TypeTree, text: string): boolean => {
  const [, sign, bits] = /^(U?)Int(\d+)$/.exec(name) ?? []
  if (bits !== undefined) {
    if (!/^-?\d+$/.test(text)) return false
    // A number of a megabyte takes seconds to parse, and never fits into 256 bits.
    return text.replace(/^-?0*/, '').length > MOST_DIGITS || !isInteger(BigInt(text), BigInt(bits), sign === 'U')
  }
  switch (name) {
    case 'Float32':
    case 'Float64':
      return isTooLarge(name, text)
    case 'Decimal':
    case 'Decimal32':
    case 'Decimal64':
    case 'Decimal128':
    case 'Decimal256':
      return fractionDigits(text) > Number((name === 'Decimal' ? parts[1] : parts[0])?.text ?? 0)
    case 'Date':
      return isOtherDay(text, '1970-01-01', '2149-06-06')
    case 'Date32':
      return isOtherDay(text, '1900-01-01', '2299-12-31')
    case 'DateTime':
      return isOtherDay(text, '1970-01-01', '2106-02-07') || isOtherClock(text)
    case 'DateTime64':
      return isOtherDay(text, '1900-01-01', '2299-12-31') || isOtherClock(text)
    default:
      return false
  }
}

/** Digits of the largest 256-bit integer. */
const MOST_DIGITS = 78

const isInteger = (value: bigint, bits: bigint, unsigned: boolean): boolean =>
  unsigned ? value >= 0n && value < 2n ** bits : value >= -(2n ** (bits - 1n)) && value < 2n ** (bits - 1n)

const isTooLarge = (name: string, text: string): boolean => {
  const value = Number(text)
  return /\d/.test(text) && !Number.isFinite(name === 'Float32' ? Math.fround(value) : value) && !Number.isNaN(value)
}

/** The number of digits after the decimal point, without trailing zeros. */
const fractionDigits = (text: string): number => {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text) ?? []
  const digits = whole + fraction
  const zeros = digits.length - withoutEnd(digits, '0').length
  return digits.length === zeros ? 0 : fraction.length - zeros - Number(exponent)
}

const DAY = /^(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)/

const isOtherDay = (text: string, first: string, last: string): boolean => {
  const [, year, month = '', day = ''] = DAY.exec(text) ?? []
  if (year === undefined) return false
  const written = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const time = Date.parse(`${written}T00:00:00Z`)
  const isDay = !Number.isNaN(time) && new Date(time).toISOString().startsWith(written)
  return !isDay || written < first || written > last
}

const CLOCK = /^\d{4}-\d{1,2}-\d{1,2}[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2}))?/

const isOtherClock = (text: string): boolean => {
  const [, hour = 0, minute = 0, second = 0] = CLOCK.exec(text) ?? []
  return Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59
}
