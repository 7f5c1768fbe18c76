import { quoteText } from '../../../warehouse/quote-text.ts'
import type { ColumnType } from './column-type.ts'

export type Parsed = {
  /** SQL: NULL for what cannot be read. */
  readonly value: string
  /** SQL: 1 or NULL for what is read as something else than it says; null: nothing is. */
  readonly isOdd: string | null
}

/** Integers that the engine parses without looking whether they are in range. */
const WIDE = /^U?Int(128|256)$/

/** 1.0 is one: so write those whose column once had a gap, and JSON knows no other number. -0 is 0, which the engine does not read without a sign. */
export const parseInteger = (base: string, text: string): Parsed => {
  const cast = (of: string) => `accurateCastOrNull(${of}, ${quoteText(base)})`
  const digitsOf = base.startsWith('U') ? `replaceRegexpOne(${text}, '^-(0+)([.]|$)', '\\\\1\\\\2')` : text
  const whole = `if(match(${text}, '^[+-]?[0-9]+([.]0+)?$'), substringIndex(${digitsOf}, '.', 1), NULL)`
  const value = `if(isNull(${cast(text)}), ${cast(whole)}, ${cast(text)})`
  if (!WIDE.test(base)) return { value, isOdd: null }
  // Signs and zeros that say nothing are left out.
  const digits = `replaceRegexpOne(substringIndex(assumeNotNull(${text}), '.', 1), '^[+]?(-?)0*([0-9])', '\\\\1\\\\2')`
  return {
    value,
    isOdd: `if(toString(${value}) = ${text}, 0, toString(${value}) != if(${digits} = '-0', '0', ${digits}))`,
  }
}

/** What is too large becomes infinite. */
export const parseFloating = (base: string, text: string): Parsed => {
  const value = `accurateCastOrNull(${text}, ${quoteText(base)})`
  return { value, isOdd: `(NOT isFinite(assumeNotNull(${value})) AND NOT match(${text}, '(?i)inf|nan'))` }
}

const DECIMAL = '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,4})?$'

/**
 * The engine takes a sign for 0, leaves out digits that the scale has no room for, and looks for more digits than the precision only where the bytes
 * have no room for them. Zeros at the end are no digits: 1.230 fits `Decimal(5, 2)`.
 */
export const parseDecimal = (type: Pick<ColumnType, 'name' | 'base' | 'parts'>, text: string): Parsed => {
  const [precision, scale] = decimalSize(type)
  const value = `accurateCastOrNull(${text}, ${quoteText(type.base)})`
  const written = `toDecimalString(${value}, ${scale})`
  const isPlain = `(startsWith(${written}, assumeNotNull(${text})) AND length(${written}) <= ${precision + (scale > 0 ? 1 : 0)})`
  const digits = `replaceOne(extract(${text}, '^[+-]?([0-9.]*)'), '.', '')`
  const kept = `trim(TRAILING '0' FROM ${digits})`
  const significant = `trim(LEADING '0' FROM ${kept})`
  /** Of ten, by which the digits that are kept are multiplied. */
  const power = `(toInt32OrZero(extract(${text}, '[eE](.*)$')) - length(extract(${text}, '[.]([0-9]*)')) + length(${digits}) - length(${kept}))`
  const fits = `(${significant} = '' OR (${power} >= -${scale} AND length(${significant}) + ${power} <= ${precision - scale}))`
  return { value, isOdd: `if(${isPlain}, 0, NOT (match(${text}, '${DECIMAL}') AND ${fits}))` }
}

const PRECISION: Readonly<Record<string, number>> = { Decimal32: 9, Decimal64: 18, Decimal128: 38, Decimal256: 76 }

/** All digits, and those behind the point. */
const decimalSize = ({ name, parts }: Pick<ColumnType, 'name' | 'parts'>): readonly [number, number] =>
  name === 'Decimal' ? [Number(parts[0] ?? 10), Number(parts[1] ?? 0)] : [PRECISION[name]!, Number(parts[0] ?? 0)]
