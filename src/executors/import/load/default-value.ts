import { defaultSql } from '../../../data/tables/table-ddl.ts'
import { quoteText } from '../../../warehouse/quote-text.ts'
import type { JudgedColumn } from './judge-read.ts'

/** The same column with its default where the value is missing; unchanged if it has no default. */
export const orDefault = (judged: JudgedColumn): JudgedColumn => {
  const { column, type } = judged.read
  const otherwise = defaultSql(column)
  if (otherwise === null) return judged
  const isMissing = missing(judged)
  return {
    ...judged,
    value: `if(${isMissing}, CAST(${otherwise}, ${quoteText(type)}), ${judged.value})`,
    isBad: `if(${isMissing}, 0, ${judged.isBad})`,
  }
}

/** SQL: 1 where a nullable column would be NULL; never NULL. */
const missing = ({ read: { asIs, text, emptyIsNull }, value }: JudgedColumn): string => {
  if (asIs !== null) return `isNull(${asIs})`
  const isEmpty = `${text} IN ('', '\\\\N')`
  return emptyIsNull ? `ifNull(${isEmpty}, 1)` : `(isNull(${text}) OR (${isEmpty} AND isNull(${value})))`
}
