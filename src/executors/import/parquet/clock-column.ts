import type { Column } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import type { ReadColumn } from '../load/reader.ts'
import { clockOf, isNoClock, secondsOf } from './clock-texts.ts'

/** Whether a column is of times of no day. */
export const takesClock = ({ type }: Column): boolean => /^Time(64)?$/.test(readColumnType(type).name)

/** Of times of no day into a column of such. Digits that it has no room for are left out. */
export const readClock = (column: Column, fileType: string): ReadColumn => {
  const { name, type } = column
  const place = quoteIdentifier(name)
  const seconds = secondsOf(place, fileType)
  const { name: own, base } = readColumnType(type)
  return {
    name,
    type,
    column,
    text: clockOf(place, fileType),
    emptyIsNull: false,
    isUtf8: true,
    asIs: `CAST(${own === 'Time' ? `CAST(${seconds} AS Nullable(Int64))` : seconds} AS Nullable(${base}))`,
    unfit: { reason: isNoClock(place, fileType), complaints: ['it is out of range'] },
  }
}
