import { quoteText } from '../../../warehouse/quote-text.ts'
import { readColumnType } from './column-type.ts'
import { judgeColumn } from './judge-column.ts'
import type { Judgement } from './judgement.ts'
import type { ReadColumn } from './reader.ts'

export type JudgedColumn = Judgement & { readonly read: ReadColumn }

/** What becomes of a column that is read, the one of this index. */
export const judgeRead = (read: ReadColumn, index: number): JudgedColumn => {
  const judged = judgeFit(read, index)
  if (read.unfit === null) return { ...judged, read }
  const { isSo, complaint } = read.unfit
  return {
    ...judged,
    isBad: judged.isBad === '0' ? isSo : `(${isSo} OR ${judged.isBad})`,
    complaint: `if(${isSo}, ${quoteText(complaint)}, ${judged.complaint})`,
    read,
  }
}

const judgeFit = (read: ReadColumn, index: number): Judgement => {
  if (read.asIs === null) return judgeColumn(read, index)
  const isBad = readColumnType(read.type).nullable ? '0' : `isNull(${read.asIs})`
  return { value: read.asIs, isBad, complaint: `'it is missing'`, shared: [] }
}

/** SQL of a value for the column itself, of a row that is not bad. */
export const storedValue = ({ value, read }: JudgedColumn): string =>
  readColumnType(read.type).nullable ? value : `assumeNotNull(${value})`

/** Before a SELECT in which any of these stand. */
export const withShared = (columns: readonly JudgedColumn[]): string => {
  const shared = columns.flatMap(column => column.shared)
  return shared.length === 0 ? '' : `WITH ${shared.join(', ')} `
}
