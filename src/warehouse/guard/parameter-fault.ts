import { withoutEnd } from '../../kernel/without-end.ts'
import { typeParts } from '../../model/type-parts.ts'
import { findQueryParameters } from './query-parameters.ts'

type Fault = { readonly name: string; readonly message: string }

/** What values are not of the types that SQL gives them. Names without a value are not looked for. */
export const parameterFaults = (sql: string, parameters: Readonly<Record<string, unknown>>): readonly Fault[] => {
  if (Object.keys(parameters).length === 0) return []
  const faults = new Map<string, string>()
  for (const { name, type } of findQueryParameters(sql)) {
    const message = Object.hasOwn(parameters, name) ? parameterFault(type, parameters[name]) : null
    if (message !== null) faults.set(name, message)
  }
  return Array.from(faults, ([name, message]) => ({ name, message }))
}

/**
 * What is wrong with a value for a type of ClickHouse, as far as the engine would put in another one without a word: 0 for 256 in a UInt8, the 1st of
 * March for the 30th of February, an empty text for null. Everything else is the engine's to refuse. null: nothing.
 */
export const parameterFault = (type: string, value: unknown): string | null => {
  const { name, parts, nullable } = takeApart(type)
  if (ANY.test(name)) return null
  if (value === null) return nullable ? null : no('null', type)
  switch (name) {
    case 'Array':
      return Array.isArray(value) ? firstFault(value.map(element => [parts[0] ?? '', element])) : null
    case 'Map':
      return isObject(value) ? firstFault(Object.values(value).map(element => [parts[1] ?? '', element])) : null
    case 'Tuple':
      return Array.isArray(value)
        ? firstFault(value.map((element, index) => [parts[index] ?? 'Dynamic', element]))
        : null
    default:
      break
  }
  if (typeof value === 'object') return no(Array.isArray(value) ? 'a list' : 'an object', type)
  if (typeof value === 'number' && isRounded(name, value)) return ROUNDED
  return isOther(name, parts, String(value)) ? no(JSON.stringify(value), type) : null
}

/** Readers of JSON have made the next number that a Float64 can hold of it, before anybody here could look. */
const isRounded = (name: string, value: number): boolean =>
  /Float/.test(name) ? !Number.isFinite(value) : Math.abs(value) > Number.MAX_SAFE_INTEGER

const ROUNDED = 'must be a text: as a number, JSON has it rounded'

const no = (what: string, type: string): string => `must be of the type ${type}, which ${what} is not`

const firstFault = (pairs: readonly (readonly [string, unknown])[]): string | null => {
  for (const [type, value] of pairs) {
    const fault = parameterFault(type, value)
    if (fault !== null) return fault
  }
  return null
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What may hold values of several kinds, or names; and planes, which are tuples by other names. */
const ANY =
  /^(Identifier|Variant|Dynamic|JSON|Object|Nested|Point|Ring|LineString|MultiLineString|Polygon|MultiPolygon|)$/

/** `parts`: in the parentheses of the type; of a tuple without their names. */
export const takeApart = (type: string) => {
  let text = type.trim()
  let nullable = false
  for (let left = MOST_WRAPPERS, match = WRAPPER.exec(text); match !== null && left > 0; left--) {
    nullable ||= match[1] === 'Nullable'
    text = match[2]!.trim()
    match = WRAPPER.exec(text)
  }
  const [, name = '', inside] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(text) ?? []
  const parts = inside === undefined ? [] : typeParts(inside)
  return { name, parts: name === 'Tuple' ? parts.map(withoutName) : parts, nullable }
}

/** There are no more around a type that the engine takes. */
const MOST_WRAPPERS = 4

const WRAPPER = /^(Nullable|LowCardinality)\s*\(([\s\S]*)\)$/

const withoutName = (part: string): string => /^(?:`(?:[^`\\]|\\.)*`|\w+)\s+(\w[\s\S]*)$/.exec(part)?.[1] ?? part

const isOther = (name: string, parts: readonly string[], text: string): boolean => {
  const [, sign, bits] = /^(U?)Int(\d+)$/.exec(name) ?? []
  if (bits !== undefined) {
    if (!/^-?\d+$/.test(text)) return false
    // A number of a megabyte takes seconds to read, and is none of 256 bits.
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
      return fractionDigits(text) > Number((name === 'Decimal' ? parts[1] : parts[0]) ?? 0)
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

/** Of an integer of 256 bits. */
const MOST_DIGITS = 78

const isInteger = (value: bigint, bits: bigint, unsigned: boolean): boolean =>
  unsigned ? value >= 0n && value < 2n ** bits : value >= -(2n ** (bits - 1n)) && value < 2n ** (bits - 1n)

const isTooLarge = (name: string, text: string): boolean => {
  const value = Number(text)
  return /\d/.test(text) && !Number.isFinite(name === 'Float32' ? Math.fround(value) : value) && !Number.isNaN(value)
}

/** Behind the point, zeros at the end not counted. */
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
