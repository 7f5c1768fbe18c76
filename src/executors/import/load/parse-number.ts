import { quoteText } from '../../../warehouse/quote-text.ts'
import type { ColumnType } from './column-type.ts'

export type Parsed = {
  /** SQL: NULL if it cannot be read. */
  readonly value: string
  /** SQL: 1 or NULL if the engine reads something other than the text says; null: it never does. */
  readonly isOdd: string | null
}

/** Integers that the engine parses without a range check. */
const WIDE = /^U?Int(128|256)$/

/**
 * Accepts 1.0, which programs write for integer columns that once had gaps, and which JSON does not tell from 1. Accepts -0 as 0, which the engine does not for
 * unsigned types.
 */
export const parseInteger = (base: string, text: string): Parsed => {
  const cast = (of: string) => `accurateCastOrNull(${of}, ${quoteText(base)})`
  const digitsOf = base.startsWith('U') ? `replaceRegexpOne(${text}, '^-(0+)([.]|$)', '\\\\1\\\\2')` : text
  const whole = `if(match(${text}, '^[+-]?[0-9]+([.]0+)?$'), substringIndex(${digitsOf}, '.', 1), NULL)`
  const value = `if(isNull(${cast(text)}), ${cast(whole)}, ${cast(text)})`
  if (!WIDE.test(base)) return { value, isOdd: null }
  // Without redundant signs and zeros.
  const digits = `replaceRegexpOne(substringIndex(assumeNotNull(${text}), '.', 1), '^[+]?(-?)0*([0-9])', '\\\\1\\\\2')`
  return {
    value,
    isOdd: `if(toString(${value}) = ${text}, 0, toString(${value}) != if(${digits} = '-0', '0', ${digits}))`,
  }
}

/** The engine reads a number that is too large as infinity. */
export const parseFloating = (base: string, text: string): Parsed => {
  const value = `accurateCastOrNull(${text}, ${quoteText(base)})`
  return { value, isOdd: `(NOT isFinite(assumeNotNull(${value})) AND NOT match(${text}, '(?i)inf|nan'))` }
}

const DECIMAL = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,4})?$'

/**
 * The engine reads a lone sign as 0, drops digits beyond the scale, and checks the precision only where the bytes cannot hold more digits. Trailing zeros do
 * not count: 1.230 fits `Decimal(5, 2)`.
 */
export const parseDecimal = (type: Pick<ColumnType, 'name' | 'base' | 'parts'>, text: string): Parsed => {
  const [precision, scale] = decimalSize(type)
  const value = `accurateCastOrNull(${text}, ${quoteText(type.base)})`
  const written = `toDecimalString(${value}, ${scale})`
  const isPlain = `(startsWith(${written}, assumeNotNull(${text})) AND length(${written}) <= ${precision + (scale > 0 ? 1 : 0)})`
  const digits = `replaceOne(extract(${text}, '^[+-]?([0-9.]*)'), '.', '')`
  const kept = `trim(TRAILING '0' FROM ${digits})`
  const significant = `trim(LEADING '0' FROM ${kept})`
  /** The power of ten by which the kept digits are multiplied. */
  const power = `(toInt32OrZero(extract(${text}, '[eE](.*)$')) - length(extract(${text}, '[.]([0-9]*)')) + length(${digits}) - length(${kept}))`
  const fits = `(${significant} = '' OR (${power} >= -${scale} AND length(${significant}) + ${power} <= ${precision - scale}))`
  return { value, isOdd: `if(${isPlain}, 0, NOT (match(${text}, '${DECIMAL}') AND ${fits}))` }
}

const PRECISION: Readonly<Record<string, number>> = { Decimal32: 9, Decimal64: 18, Decimal128: 38, Decimal256: 76 }

/** Precision and scale. */
const decimalSize = ({ name, parts }: Pick<ColumnType, 'name' | 'parts'>): readonly [number, number] =>
  name === 'Decimal' ? [Number(parts[0] ?? 10), Number(parts[1] ?? 0)] : [PRECISION[name]!, Number(parts[0] ?? 0)]
