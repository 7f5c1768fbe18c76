import { readColumnType } from './column-type.ts'
import { judgeColumn } from './judge-column.ts'
import type { Judgement } from './judgement.ts'
import type { ReadColumn } from './reader.ts'

export type JudgedColumn = Judgement & { readonly read: ReadColumn }

/** What becomes of a column that is read. */
export const judgeRead = (read: ReadColumn): JudgedColumn => {
  if (read.asIs === null) return { ...judgeColumn(read), read }
  const isBad = readColumnType(read.type).nullable ? '0' : `isNull(${read.asIs})`
  return { value: read.asIs, isBad, complaint: `'it is missing'`, read }
}

/** SQL of a value for the column itself, of a row that is not bad. */
export const storedValue = ({ value, read }: JudgedColumn): string =>
  readColumnType(read.type).nullable ? value : `assumeNotNull(${value})`
