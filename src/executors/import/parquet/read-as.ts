import { withMoments } from './clock-texts.ts'
import { withDays } from './date-days.ts'
import { withBytes } from './geometry-column.ts'
import { withTwelveBytes } from './int96-text.ts'
import type { FileColumn } from './parquet-columns.ts'

/** The type to read a column of a file as. */
export const readAs = ({ type }: FileColumn): string => withMoments(withBytes(type))

/** Same, if some values may be out of the engine's range. */
export const readAnyAs = (column: FileColumn): string =>
  column.isInt96 ? withTwelveBytes(column.type) : withDays(readAs(column))
