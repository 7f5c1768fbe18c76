import { readColumnType, tupleElements } from '../load/column-type.ts'
import { isNoClock } from './clock-texts.ts'
import type { Leaf } from './leaf-texts.ts'

/** 0001-01-01 and the end of 9999, in seconds. The engine shows times outside as one of these two years. */
const SECONDS = { first: -62_135_596_800n, end: 253_402_300_800n } as const

/** By the digits of a time's fraction. With nine, none is out of range. */
const UNITS: Readonly<Record<string, { readonly name: string; readonly convert: string; readonly perSecond: bigint }>> =
  {
    3: { name: 'milliseconds', convert: 'toUnixTimestamp64Milli', perSecond: 1_000n },
    6: { name: 'microseconds', convert: 'toUnixTimestamp64Micro', perSecond: 1_000_000n },
  }

/**
 * SQL: 1 if a value of a file contains a text that is not UTF-8, or a time out of the engine's range; never NULL. Parquet accepts both silently. null: the type
 * contains neither.
 */
export const unfitIn = (type: string, value: string, depth = 0): string | null => {
  const { name, parts } = readColumnType(type)
  const element = `u${depth}`
  const amongst = (part: string, list: string): string | null => {
    const inner = unfitIn(part, element, depth + 1)
    return inner === null ? null : `arrayExists(${element} -> ${inner}, ${list})`
  }
  switch (name) {
    case 'String':
      return `ifNull(NOT isValidUTF8(${value}), 0)`
    case 'DateTime64':
      return isOutOfRange(parts[0]!, value)
    case 'Time64':
      return isNoClock(value, type)
    case 'Array':
      return amongst(parts[0]!, value)
    case 'Map':
      return anyOf([amongst(parts[0]!, `mapKeys(${value})`), amongst(parts[1]!, `mapValues(${value})`)])
    case 'Tuple':
      return anyOf(
        tupleElements(parts).map((part, index) => unfitIn(part.type, `tupleElement(${value}, ${index + 1})`, depth)),
      )
    default:
      return null
  }
}

const anyOf = (conditions: readonly (string | null)[]): string | null => {
  const some = conditions.filter(condition => condition !== null)
  return some.length === 0 ? null : `(${some.join(' OR ')})`
}

const isOutOfRange = (digits: string, value: string): string | null => {
  const unit = UNITS[digits]
  if (unit === undefined) return null
  const [first, end] = [SECONDS.first * unit.perSecond, SECONDS.end * unit.perSecond]
  return `ifNull(${unit.convert}(${value}) NOT BETWEEN ${first} AND ${end - 1n}, 0)`
}

/** SQL: a time out of the engine's range, in words that nothing reads as a time. The type must be one with such times. */
const unfitTime = (type: string, value: string): string => {
  const { name, convert } = UNITS[readColumnType(type).parts[0]!]!
  return `concat(toString(${convert}(${value})), ' ${name} since 1970')`
}

/** SQL: a time in other values: in words if it is out of the engine's range, else as `write` has it. */
export const inWordsOr =
  (write: Leaf['write']): Leaf['write'] =>
  (value, type) => {
    const isSo = unfitIn(type, value)
    return isSo === null ? write(value, type) : `if(${isSo}, ${unfitTime(type, value)}, ${write(value, type)})`
  }
