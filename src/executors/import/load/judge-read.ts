import { readColumnType } from './column-type.ts'
import { orDefault } from './default-value.ts'
import { judgeColumn } from './judge-column.ts'
import type { Judgement } from './judgement.ts'
import type { Converted, ReadColumn } from './reader.ts'

export type JudgedColumn = Judgement & { readonly read: ReadColumn }

/** Judges the column that is read at this index. */
export const judgeRead = (read: ReadColumn, index: number): JudgedColumn => orDefault(judgeGiven(read, index))

const judgeGiven = (read: ReadColumn, index: number): JudgedColumn => {
  const fit = judgeFit(read, index)
  const judged = { ...fit, shared: [...(read.shared ?? []), ...fit.shared] }
  if (read.unfit === null) return { ...judged, read }
  const { reason, complaints } = read.unfit
  const isUnfit = `${reason} != 0`
  return {
    ...judged,
    isBad: judged.isBad === '0' ? `(${isUnfit})` : `(${isUnfit} OR ${judged.isBad})`,
    fault: `if(${isUnfit}, ${fit.complaints.length} + ${reason}, ${fit.fault})`,
    complaints: [...fit.complaints, ...complaints],
    read,
  }
}

const judgeFit = (read: ReadColumn, index: number): Judgement => {
  if (read.asIs === null) return unlessConverted(judgeColumn(read, index), read.converted ?? null)
  const isBad = readColumnType(read.type).nullable ? '0' : `isNull(${read.asIs})`
  return { value: read.asIs, isBad, fault: '1', complaints: ['it is missing'], shared: [] }
}

const unlessConverted = (judged: Judgement, converted: Converted | null): Judgement => {
  if (converted === null) return judged
  const { value, isExact } = converted
  return { ...judged, value: `if(${isExact}, ${value}, ${judged.value})`, isBad: `if(${isExact}, 0, ${judged.isBad})` }
}

/** SQL: the value for the column itself, in a row that is not bad. */
export const storedValue = ({ value, read }: JudgedColumn): string =>
  readColumnType(read.type).nullable ? value : `assumeNotNull(${value})`

/** The WITH clause of a SELECT that uses any of these. */
export const withShared = (columns: readonly Pick<JudgedColumn, 'shared'>[]): string => {
  const shared = new Set(columns.flatMap(column => column.shared))
  return shared.size === 0 ? '' : `WITH ${[...shared].join(', ')} `
}
