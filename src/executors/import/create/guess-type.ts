const INTEGER = /^[+-]?(0|[1-9]\d*)$/
const FLOAT = /^[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/
const LEADING_ZERO = /^[+-]?0\d/
const BOOL = /^(true|false)$/i
const DATE = /^\d{4}-\d{2}-\d{2}$/
const DOTTED_DATE = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/
const TIME = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?$/

/**
 * The ClickHouse type that represents all these texts: Int64, UInt64, Float64, Bool, Date, Date32, DateTime64(3) or String; all but String nullable if a text
 * is empty. A number with leading zeros is a code and stays text; so does one with more digits than its type can distinguish.
 */
export const guessType = (values: readonly (string | null)[]): string => {
  const texts = values.filter(value => value !== null && value !== '' && value !== '\\N') as string[]
  const base = guessBase(texts)
  return texts.length < values.length && base !== 'String' ? `Nullable(${base})` : base
}

const guessBase = (texts: readonly string[]): string => {
  const all = (pattern: RegExp): boolean => texts.every(text => pattern.test(text))
  if (texts.length === 0) return 'String'
  if (all(BOOL)) return 'Bool'
  if (all(INTEGER)) return integerType(texts)
  if (all(FLOAT) && !texts.some(text => LEADING_ZERO.test(text))) return texts.every(isExact) ? 'Float64' : 'String'
  if (all(DATE) && texts.every(isDay)) return texts.every(isShortDay) ? 'Date' : 'Date32'
  if (all(DOTTED_DATE)) return guessBase(texts.map(toIsoDate))
  return all(TIME) && texts.every(isDay) ? 'DateTime64(3)' : 'String'
}

const toIsoDate = (text: string): string => {
  const [, day, month, year] = DOTTED_DATE.exec(text)!
  return `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`
}

const integerType = (texts: readonly string[]): string => {
  if (texts.some(text => text.length > MOST_DIGITS)) return 'String'
  const numbers = texts.map(BigInt)
  if (numbers.every(number => number >= -(2n ** 63n) && number < 2n ** 63n)) return 'Int64'
  const isUnsigned = numbers.every(number => number < 2n ** 64n) && !texts.some(text => text.startsWith('-'))
  return isUnsigned ? 'UInt64' : 'String'
}

/** Digits of the largest UInt64, and a sign. */
const MOST_DIGITS = 21

/** Beyond 2⁵³, two integers may be the same Float64. 1e400 is infinite. */
const isExact = (text: string): boolean =>
  Number(/\d*/.exec(text.replace(/^[+-]/, ''))![0]) < 2 ** 53 && Number.isFinite(Number(text))

const isDay = (text: string): boolean => {
  const day = text.slice(0, 10)
  const time = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) && day >= '1900' && day < '2300'
}

const isShortDay = (text: string): boolean => text >= '1970-01-01' && text <= '2149-06-06'
