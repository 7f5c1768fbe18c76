import { quoteText } from '../../../warehouse/quote-text.ts'

/** Marks a number that was made a text. A Unicode noncharacter, reserved for such uses and found in no text. */
const MARK = '\ufdd0'
const MARK_BYTES = Buffer.byteLength(MARK)
/** The mark as an escape in JSON, in SQL. Its hex digits may be of either case. */
const ESCAPED_MARK = '\\\\ufdd0'

const NUMBER = '-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?'
/** Matches strings as a whole, so that it finds numbers only outside them. */
const UP_TO_NUMBER = quoteText(`((?:[^"0-9-]|"(?:[^"\\\\]|\\\\.)*")*)(${NUMBER}|$)`)

/** Matches JSON that may have a number the parser would change. Other JSON is kept as it is, which is much faster. */
const DELICATE = quoteText('[.][0-9]|[0-9][eE]|-0|[0-9]{16}')

/**
 * SQL: JSON with its numbers as texts after a mark; '' for NULL. ClickHouse's parser makes a fraction a double and refuses an integer of more than 64 bits.
 * Invalid JSON stays invalid.
 */
export const exactJson = (text: string): string => exactNumbers(inDoubleQuotes(`ifNull(${text}, '')`))

/** SQL: same for JSON that is not NULL and whose lists are JSON's. '' if it contains the mark itself. */
export const exactNumbers = (json: string): string => {
  const marked = `replaceRegexpAll(t, ${UP_TO_NUMBER}, '\\\\1"${MARK}\\\\2"')`
  const exact = `replaceRegexpOne(${marked}, '("${MARK}")+$', '')`
  const isMarked = `position(t, '${MARK}') > 0 OR positionCaseInsensitive(t, '${ESCAPED_MARK}') > 0`
  return `arrayMap(t -> multiIf(${isMarked}, '', match(t, ${DELICATE}), ${exact}, t), [${json}])[1]`
}

/** SQL: lists as ClickHouse writes them (`['a','it\'s']`), as JSON. */
const inDoubleQuotes = (json: string): string => {
  const steps = [
    ['\\\\', '\u0001'],
    ["\\'", '\u0002'],
    ['"', '\\"'],
    ["'", '"'],
    ['\u0002', "'"],
    ['\u0001', '\\\\'],
  ] as const
  const doubled = steps.reduce((sql, [from, to]) => `replaceAll(${sql}, ${quoteText(from)}, ${quoteText(to)})`, json)
  return `if(match(${json}, '^[[]+\\''), ${doubled}, ${json})`
}

/** SQL: points as ClickHouse writes them, `(1,2)`, as lists. */
export const listsOf = (text: string): string => `translate(${text}, '()', '[]')`

/** SQL: a value of `exactJson` as a text, as for a column; NULL for null and for a missing value (''). */
export const textOfJson = (raw: string): string => {
  const cases = [
    [`${raw} IN ('', 'null')`, 'NULL'],
    [`startsWith(${raw}, '"${MARK}')`, `substring(${raw}, ${2 + MARK_BYTES}, length(${raw}) - ${2 + MARK_BYTES})`],
    [`startsWith(${raw}, '"') AND position(${raw}, '\\\\') = 0`, `substring(${raw}, 2, length(${raw}) - 2)`],
    [`startsWith(${raw}, '"')`, `JSONExtractString(${raw})`],
    [`position(${raw}, '${MARK}') = 0`, raw],
  ]
  return `multiIf(${cases.flat().join(', ')}, replaceRegexpAll(${raw}, '"${MARK}([^"]*)"', '\\1'))`
}

/** SQL: whether a key was a number, which JSON does not allow. */
export const isNumberKey = (key: string): string => `startsWith(${key}, '${MARK}')`
