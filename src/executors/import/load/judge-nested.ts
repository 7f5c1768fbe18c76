import { quoteText } from '../../../warehouse/quote-text.ts'
import { type ColumnType, readColumnType, type TupleElement, tupleElements } from './column-type.ts'
import { isNumberKey, textOfJson } from './exact-json.ts'
import type { JudgedValue, ValueText } from './judge-value.ts'

type Judge = (given: ValueText) => JudgedValue

/** Whether values of a type are lists or objects. */
export const isNested = ({ name }: ColumnType): boolean => /^(Array|Map|Tuple|Nested)$/.test(name)

/** Splits lists and objects and judges each of their values, using `judge`: JSONExtract silently reads what does not fit as 0 or nothing. */
export const judgeNested = (type: ColumnType, given: ValueText, judge: Judge): JudgedValue => {
  const { value, isBad } = judgeWhole(type, given, judge)
  if (!type.nullable) return { value, isBad }
  const isMissing = `(${given.text} IN ('', '\\\\N', 'null'))`
  return { value: `if(${isMissing}, NULL, ${value})`, isBad: `(${isBad} AND NOT ${isMissing})` }
}

const judgeWhole = ({ name, parts }: ColumnType, given: ValueText, judge: Judge): JudgedValue => {
  const { text } = given
  switch (name) {
    case 'Array': {
      const elements = judgeEach({ type: parts[0]!, raws: `JSONExtractArrayRaw(${text})`, given, judge })
      return { value: elements.value, isBad: `(${isNo('Array', given)} OR ${elements.isBad})` }
    }
    case 'Map':
      return judgeMap(parts, given, judge)
    default:
      return judgeTuple(tupleElements(parts), given, judge)
  }
}

/** A nested value has been parsed with the whole, so its first character is enough. */
const isNo = (kind: 'Array' | 'Object', { text, depth }: ValueText): string => {
  if (depth === 0) return `JSONType(${text}) != '${kind}'`
  return `NOT startsWith(${text}, '${kind === 'Array' ? '[' : '{'}')`
}

type Each = {
  readonly type: string
  /** SQL: a list of values in `exactJson`. */
  readonly raws: string
  readonly given: ValueText
  readonly judge: Judge
}

const judgeEach = ({ type, raws, given, judge }: Each): JudgedValue => {
  const texts = isNested(readColumnType(type)) ? raws : `arrayMap(r -> ${textOfJson('r')}, ${raws})`
  return judgeTexts({ type, texts, given, judge })
}

const judgeTexts = ({ type, texts, given, judge }: Omit<Each, 'raws'> & { readonly texts: string }): JudgedValue => {
  const { element, inner } = within(given)
  const judged = judge({ ...inner, type, text: element })
  return {
    value: `arrayMap(${element} -> ${stored(type, judged)}, ${texts})`,
    isBad: `arrayExists(${element} -> ${judged.isBad}, ${texts})`,
  }
}

/** Names a nested value differently from those that contain it. */
const within = (given: ValueText) => ({
  element: `e${given.depth}`,
  inner: { ...given, emptyIsNull: false, depth: given.depth + 1 },
})

/** SQL: the value, if it is not bad. */
const stored = (type: string, { value }: JudgedValue): string =>
  readColumnType(type).nullable ? value : `assumeNotNull(${value})`

const judgeMap = ([keyType, valueType]: readonly string[], given: ValueText, judge: Judge): JudgedValue => {
  const { text } = given
  const pairs = `JSONExtractKeysAndValuesRaw(${text})`
  const names = `tupleElement(${pairs}, 1)`
  const keys = judgeTexts({ type: keyType!, texts: names, given, judge })
  const values = judgeEach({ type: valueType!, raws: `tupleElement(${pairs}, 2)`, given, judge })
  const areNumbers = `arrayExists(k -> ${isNumberKey('k')}, ${names})`
  return {
    value: `mapFromArrays(${keys.value}, ${values.value})`,
    isBad: `(${isNo('Object', given)} OR ${areNumbers} OR ${keys.isBad} OR ${values.isBad})`,
  }
}

/** With named elements an object, in any order, otherwise a list. A nullable element may be missing from an object. */
const judgeTuple = (elements: readonly TupleElement[], given: ValueText, judge: Judge): JudgedValue => {
  const { raws, isOther } = tupleRaws(elements, given)
  const texts = elements.map(({ type }, index) => {
    const raw = `r[${index + 1}]`
    return isNested(readColumnType(type)) ? raw : textOfJson(raw)
  })
  const { element, inner } = within(given)
  const judged = elements.map(({ type }, index) => judge({ ...inner, type, text: elementText(type, element, index) }))
  // Named, because it is used more than once: nested tuples would repeat their elements many times.
  const once = `arrayMap(r -> [${texts.join(', ')}], ${raws})`
  const values = judged.map((value, index) => stored(elements[index]!.type, value))
  return {
    value: `arrayMap(${element} -> tuple(${values.join(', ')}), ${once})[1]`,
    isBad: `(${isOther} OR arrayExists(${element} -> ${judged.map(({ isBad }) => isBad).join(' OR ')}, ${once}))`,
  }
}

const elementText = (type: string, element: string, index: number): string =>
  isNested(readColumnType(type)) ? `assumeNotNull(${element}[${index + 1}])` : `${element}[${index + 1}]`

type TupleRaws = {
  /** SQL: a list that contains one list, with the JSON of each element, '' if it is missing. */
  readonly raws: string
  /** SQL: whether it has other elements, or is not a tuple. */
  readonly isOther: string
}

const tupleRaws = (elements: readonly TupleElement[], given: ValueText): TupleRaws => {
  const { text } = given
  const pairs = `JSONExtractKeysAndValuesRaw(${text})`
  const [keys, values] = [`tupleElement(${pairs}, 1)`, `tupleElement(${pairs}, 2)`]
  const names = elements.flatMap(({ name }) => (name === null ? [] : [quoteText(name)]))
  if (names.length > 0)
    return {
      raws: `arrayMap(o -> [${names.map(name => `tupleElement(o, 2)[indexOf(tupleElement(o, 1), ${name})]`).join(', ')}], [${pairs}])`,
      isOther: `${isNo('Object', given)} OR arrayExists(k -> k NOT IN (${names.join(', ')}), ${keys}) OR arrayUniq(${keys}) != length(${keys})`,
    }
  // Parquet has no unnamed elements: their names are numbers there.
  const numbers = elements.map((_, index) => `'${index + 1}'`)
  const list = `if(${isNo('Array', given)}, ${values}, JSONExtractArrayRaw(${text}))`
  return {
    raws: `arrayMap(o -> [${elements.map((_, index) => `o[${index + 1}]`).join(', ')}], [${list}])`,
    isOther: `length(${list}) != ${elements.length} OR (${isNo('Array', given)} AND ${keys} != [${numbers.join(', ')}])`,
  }
}
