import { quoteText } from '../../../warehouse/quote-text.ts'

/** Before a number that was made a text. No character of any script, and of no text: Unicode keeps it for such ends. */
const MARK = '\ufdd0'
const MARK_BYTES = Buffer.byteLength(MARK)
/** In SQL, as JSON may have it, in small letters or large. */
const ESCAPED_MARK = '\\\\ufdd0'

const NUMBER = '-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?'
/** Strings are taken as wholes, so that numbers are found outside of them only. */
const UP_TO_NUMBER = quoteText(`((?:[^"0-9-]|"(?:[^"\\\\]|\\\\.)*")*)(${NUMBER}|$)`)

/** Where one may stand that the parser would change. Any other it keeps as it is, and much sooner. */
const DELICATE = quoteText('[.][0-9]|[0-9][eE]|-0|[0-9]{16}')

/**
 * SQL: JSON with its numbers as texts behind a mark, '' for NULL. ClickHouse's parser makes a double of a fraction, and refuses an integer of more
 * than 64 bits. What was no JSON before is none afterwards.
 */
export const exactJson = (text: string): string => exactNumbers(inDoubleQuotes(`ifNull(${text}, '')`))

/** SQL: the same of JSON, which is no NULL, in which lists are as JSON has them. '' of what has the mark itself. */
export const exactNumbers = (json: string): string => {
  const marked = `replaceRegexpAll(t, ${UP_TO_NUMBER}, '\\\\1"${MARK}\\\\2"')`
  const exact = `replaceRegexpOne(${marked}, '("${MARK}")+$', '')`
  const isMarked = `position(t, '${MARK}') > 0 OR positionCaseInsensitive(t, '${ESCAPED_MARK}') > 0`
  return `arrayMap(t -> multiIf(${isMarked}, '', match(t, ${DELICATE}), ${exact}, t), [${json}])[1]`
}

/** SQL: lists as ClickHouse writes them (`['a','it\'s']`) as JSON. */
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

/** SQL: what a value of `exactJson` says as a text, as it would stand in a column; NULL of null and of what is not there (''). */
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

/** SQL: whether a key was a number, which JSON has not. */
export const isNumberKey = (key: string): string => `startsWith(${key}, '${MARK}')`
