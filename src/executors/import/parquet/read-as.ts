import { withMoments } from './clock-texts.ts'
import { withDays } from './date-days.ts'
import { withBytes } from './geometry-column.ts'
import { withTwelveBytes } from './int96-text.ts'
import type { FileColumn } from './parquet-columns.ts'

/** The type as which a column of a file is read. */
export const readAs = ({ type }: FileColumn): string => withMoments(withBytes(type))

/** The one as which it is read where some values may be such as the engine has not. */
export const readAnyAs = (column: FileColumn): string =>
  column.isInt96 ? withTwelveBytes(column.type) : withDays(readAs(column))
