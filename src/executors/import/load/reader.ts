import type { Column } from '../../../model/data-source.ts'
import type { TextColumn } from './judge-column.ts'

/** How the rows of spooled content are read in SQL. */
export type Reader = {
  /** ClickHouse's name. */
  readonly format: string
  /** Of the file's columns: `c0 String, c1 String`; null: the file says it. */
  readonly structure: string | null
  readonly settings: Readonly<Record<string, string | number>>
  /** Columns of the target that get values, in its order. */
  readonly columns: readonly ReadColumn[]
  /** SQL: what is to become of a row whatever is in it. 0 where all rows are of the right shape. */
  readonly isBlank: string
  readonly isRagged: string
}

export type ReadColumn = TextColumn & {
  readonly column: Column
  /** SQL of the value itself, where the file has one of the same type. */
  readonly asIs: string | null
  /** Of a value that is wrong whatever the column is; null: none is. */
  readonly unfit: Unfit | null
  /** What a WITH before the statement has to say, where these refer to it: `… AS name`. */
  readonly shared?: readonly string[]
}

export type Unfit = {
  /** SQL: 0 where it is not so, else the place of what is told of it, from 1; never NULL. */
  readonly reason: string
  readonly complaints: readonly string[]
}
