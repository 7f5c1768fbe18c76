import { quoteText } from '../../../warehouse/quote-text.ts'
import { type ColumnType, readColumnType } from './column-type.ts'
import type { Judgement } from './judgement.ts'

/** Types of which there is no NULL: lists and objects. */
export const isNested = ({ name }: ColumnType): boolean => /^(Array|Map|Tuple|Nested)$/.test(name)

/**
 * Lists and objects come as JSON, lists also as ClickHouse writes them (`['a','b']`). JSONExtract makes NULL of an element that does not fit
 * where NULL is possible, and 0 or nothing without a word where it is not: so simple elements are read as nullable, and of anything deeper what
 * was made, as JSON again, must be what was there, spaces aside.
 */
export const judgeNested = ({ name, type, text }: { name: string; type: string; text: string }): Judgement => {
  const { base, name: kind, parts } = readColumnType(type)
  const json = `if(startsWith(ifNull(${text}, ''), '[\\''), replaceAll(ifNull(${text}, ''), '\\'', '"'), ifNull(${text}, ''))`
  const element = kind === 'Array' ? parts[0] : kind === 'Map' && parts[0] === 'String' ? parts[1] : undefined
  const complaint = quoteText(`${name} is no ${type}`)
  if (element === undefined || !SIMPLE.test(element)) {
    const value = `JSONExtract(${json}, ${quoteText(base)})`
    return { value, isBad: `(replaceAll(toJSONString(${value}), ' ', '') != replaceAll(${json}, ' ', ''))`, complaint }
  }
  const readAs = kind === 'Array' ? `Array(Nullable(${element}))` : `Map(String, Nullable(${element}))`
  const read = `JSONExtract(${json}, ${quoteText(readAs)})`
  const elements = kind === 'Array' ? read : `mapValues(${read})`
  const isOther = `JSONType(${json}) != '${kind === 'Array' ? 'Array' : 'Object'}'`
  const isBad = `(NOT isValidJSON(${json}) OR ${isOther} OR arrayExists(x -> isNull(x), ${elements}))`
  const withoutNull =
    kind === 'Array' ? `arrayMap(x -> assumeNotNull(x), ${read})` : `mapApply((k, v) -> (k, assumeNotNull(v)), ${read})`
  return { value: withoutNull, isBad, complaint }
}

const SIMPLE = /^(U?Int\d+|Float\d+|Decimal\w*(\(.*\))?|String|Bool|UUID|Date\w*(\(.*\))?|IPv[46])$/
