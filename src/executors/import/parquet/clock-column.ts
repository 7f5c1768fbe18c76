import type { Column } from '../../../model/data-source.ts'
import { quoteIdentifier } from '../../../warehouse/quote-identifier.ts'
import { readColumnType } from '../load/column-type.ts'
import type { ReadColumn } from '../load/reader.ts'
import { clockOf, isNoClock, secondsOf } from './clock-texts.ts'

/** Whether a column holds times without a date. */
export const takesClock = ({ type }: Column): boolean => /^Time(64)?$/.test(readColumnType(type).name)

/** Reads times without a date into such a column. Drops digits beyond its scale. */
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
