import type { Column } from '../../../model/data-source.ts'
import type { TextColumn } from './judge-column.ts'

/** How to read the rows of spooled content in SQL. */
export type Reader = {
  /** ClickHouse's name for it. */
  readonly format: string
  /** The file's columns: `c0 String, c1 String`; null: the file defines them. */
  readonly structure: string | null
  readonly settings: Readonly<Record<string, string | number>>
  /** Columns of the target that get values, in its order. */
  readonly columns: readonly ReadColumn[]
  /** SQL: conditions that decide about a row whatever is in it. 0 if all rows have the right shape. */
  readonly isBlank: string
  readonly isRagged: string
}

export type ReadColumn = TextColumn & {
  readonly column: Column
  /** SQL: the value itself, if the file has one of the same type. */
  readonly asIs: string | null
  /** For values of another type; null or missing: all go through their texts. */
  readonly converted?: Converted | null
  /** For values that are wrong whatever the column is; null: none are. */
  readonly unfit: Unfit | null
  /** What the others refer to, for a WITH before the statement: `… AS name`. */
  readonly shared?: readonly string[]
}

/** A value converted without its text, where the outcome is the same. */
export type Converted = {
  /** SQL: of the column's type. */
  readonly value: string
  /** SQL: 1 if it is what the text would become; never NULL. */
  readonly isExact: string
}

export type Unfit = {
  /** SQL: 0 if the value is fine, else the index of its complaint, from 1; never NULL. */
  readonly reason: string
  readonly complaints: readonly string[]
}
