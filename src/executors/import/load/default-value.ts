import { quoteText } from '../../../warehouse/quote-text.ts'
import type { JudgedColumn } from './judge-read.ts'
import type { ReadColumn } from './reader.ts'

/** The same column with its default where the value is missing; unchanged if it has no default. */
export const orDefault = (judged: JudgedColumn): JudgedColumn => {
  const { column, type } = judged.read
  if (column.default === undefined) return judged
  const isMissing = missing(judged.read)
  return {
    ...judged,
    value: `if(${isMissing}, CAST(${column.default}, ${quoteText(type)}), ${judged.value})`,
    isBad: `if(${isMissing}, 0, ${judged.isBad})`,
  }
}

/** SQL: 1 where a nullable column would be NULL; never NULL. */
const missing = ({ asIs, text, emptyIsNull }: ReadColumn): string =>
  emptyIsNull ? `ifNull(${text} IN ('', '\\\\N'), 1)` : `isNull(${asIs ?? text})`
