import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { isPlane, readColumnType } from './column-type.ts'
import { exactJson, listsOf } from './exact-json.ts'
import { isNested } from './judge-nested.ts'
import { judgeValue } from './judge-value.ts'
import type { Judgement } from './judgement.ts'

export type TextColumn = {
  readonly name: string
  readonly type: string
  /** SQL: the text, or NULL if the row has none. */
  readonly text: string
  /** An empty text is NULL, as in CSV, which cannot express it otherwise. */
  readonly emptyIsNull: boolean
  /** UTF-8 is checked elsewhere, for the content as a whole. */
  readonly isUtf8: boolean
}

/**
 * Reads every value as a text and converts it here, both in the first load and in the split, so that the two agree. ClickHouse's own readers of numbers and
 * dates are no faster (measured), and read 300 as 44 in an Int8, and 2020-13-01 as 1970-01-01. `index`: unique among the columns of the statement.
 */
export const judgeColumn = ({ name, type, text, emptyIsNull, isUtf8 }: TextColumn, index: number): Judgement => {
  const columnType = readColumnType(type)
  const isNo = `${name} is not a valid ${type}`
  if (isNested(columnType)) {
    const json = exactJson(isPlane(type) ? listsOf(text) : text)
    const { value, isBad } = judgeValue({ type, text: 'j', emptyIsNull, isUtf8: true, depth: 0 })
    // Named, to parse it once and keep the statement small. No user column can have this name.
    const parsed = quoteIdentifier(`\tjudged${index}`)
    return {
      value: `tupleElement(${parsed}, 2)`,
      isBad: `tupleElement(${parsed}, 1)`,
      fault: '1',
      complaints: [isNo],
      shared: [`arrayMap(j -> tuple(${isBad}, ${value}), [${json}])[1] AS ${parsed}`],
    }
  }
  const judged = judgeValue({ type, text, emptyIsNull, isUtf8, depth: 0 })
  const complaints = columnType.base === 'String' ? ['it is missing', 'it is not UTF-8'] : [`${name} is empty`, isNo]
  return { ...judged, fault: `if(ifNull(${text} IN ('', '\\\\N'), 1), 1, 2)`, complaints, shared: [] }
}
