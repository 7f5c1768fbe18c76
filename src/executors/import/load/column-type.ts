import { typeParts } from '../../../model/type-parts.ts'

/** A type of a column taken apart. */
export type ColumnType = {
  /** Without `Nullable` and `LowCardinality` around it: `Int64`, `DateTime64(3, 'UTC')`. */
  readonly base: string
  /** `Int64`, `DateTime64`. */
  readonly name: string
  /** What is in its parentheses, split at commas. */
  readonly parts: readonly string[]
  readonly nullable: boolean
}

/** The text has passed `typeFault`. */
export const readColumnType = (text: string): ColumnType => {
  let base = text.trim()
  let nullable = false
  for (let match = WRAPPER.exec(base); match !== null; match = WRAPPER.exec(base)) {
    if (match[1] === 'Nullable') nullable = true
    // A sum, a maximum: its rows are values of the type that it is of.
    base = match[1] === 'SimpleAggregateFunction' ? (typeParts(match[2]!)[1] ?? base) : match[2]!.trim()
  }
  const [, name = base, inside] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(base) ?? []
  return { base, name, parts: inside === undefined ? [] : typeParts(inside), nullable }
}

const WRAPPER = /^(Nullable|LowCardinality|SimpleAggregateFunction)\s*\(([\s\S]*)\)$/
