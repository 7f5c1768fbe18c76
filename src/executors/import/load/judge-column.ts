import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import { isPlane, readColumnType } from './column-type.ts'
import { exactJson, listsOf } from './exact-json.ts'
import { isNested } from './judge-nested.ts'
import { judgeValue } from './judge-value.ts'
import type { Judgement } from './judgement.ts'

export type TextColumn = {
  readonly name: string
  readonly type: string
  /** SQL: a text, or NULL where the row has none. */
  readonly text: string
  /** An empty text is no value: so in CSV, where nothing else can say it. */
  readonly emptyIsNull: boolean
  /** The content as a whole is looked at elsewhere. */
  readonly isUtf8: boolean
}

/**
 * Every value is read as a text and made what it is to be here, in the first load as in the split: so the two agree. ClickHouse's own
 * readers of numbers and dates would be no quicker (measured), and take 300 for 44 in an Int8, and 2020-13-01 for 1970-01-01. `index`: no other
 * column of the statement has it.
 */
export const judgeColumn = ({ name, type, text, emptyIsNull, isUtf8 }: TextColumn, index: number): Judgement => {
  const columnType = readColumnType(type)
  const isNo = quoteText(`${name} is not a valid ${type}`)
  if (isNested(columnType)) {
    const json = exactJson(isPlane(type) ? listsOf(text) : text)
    const { value, isBad } = judgeValue({ type, text: 'j', emptyIsNull, isUtf8: true, depth: 0 })
    // It is parsed once, and the statement stays small. No column of anybody's has such a name.
    const parsed = quoteIdentifier(`\tjudged${index}`)
    return {
      value: `tupleElement(${parsed}, 2)`,
      isBad: `tupleElement(${parsed}, 1)`,
      complaint: isNo,
      shared: [`arrayMap(j -> tuple(${isBad}, ${value}), [${json}])[1] AS ${parsed}`],
    }
  }
  const judged = judgeValue({ type, text, emptyIsNull, isUtf8, depth: 0 })
  const complaint =
    columnType.base === 'String'
      ? `if(isNull(${text}), 'it is missing', 'it is not UTF-8')`
      : `if(isNull(${text}) OR ${text} IN ('', '\\\\N'), ${quoteText(`${name} is empty`)}, ${isNo})`
  return { ...judged, complaint, shared: [] }
}
