import type { Column } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import type { ReadColumn } from '../load/reader.ts'

/** Whether a column is of times of no day. */
export const takesClock = ({ type }: Column): boolean => /^Time(64)?$/.test(readColumnType(type).name)

/** Seconds: the end of a day is a time of it, as 24:00:00. */
const LAST = 86_400

/** Of times of no day (`TIME`), which the engine reads as times of 1970-01-01, into a column of such. Digits that it has no room for are left out. */
export const readClock = (column: Column, fileType: string): ReadColumn => {
  const { name, type } = column
  const [digits = '6'] = readColumnType(fileType).parts
  const seconds = `CAST(${quoteIdentifier(name)} AS Nullable(Decimal64(${digits})))`
  const { name: own, base } = readColumnType(type)
  return {
    name,
    type,
    column,
    text: `toString(CAST(${seconds} AS Nullable(Time64(${digits}))))`,
    emptyIsNull: false,
    isUtf8: true,
    asIs: `CAST(${own === 'Time' ? `CAST(${seconds} AS Nullable(Int64))` : seconds} AS Nullable(${base}))`,
    unfit: { reason: `ifNull(${seconds} NOT BETWEEN 0 AND ${LAST}, 0)`, complaints: ['it is out of range'] },
  }
}
