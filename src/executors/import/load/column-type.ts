import { typeParts } from '../../../model/type-parts.ts'

/** A parsed column type. */
export type ColumnType = {
  /** Without `Nullable`, `LowCardinality` or `SimpleAggregateFunction` around it: `Int64`, `DateTime64(3, 'UTC')`. */
  readonly base: string
  /** `Int64`, `DateTime64`. */
  readonly name: string
  /** Its arguments, split at commas. */
  readonly parts: readonly string[]
  readonly nullable: boolean
}

/** The text must have passed `typeFault`. */
export const readColumnType = (text: string): ColumnType => {
  let base = text.trim()
  let nullable = false
  for (let match = WRAPPER.exec(base); match !== null; match = WRAPPER.exec(base)) {
    if (match[1] === 'Nullable') nullable = true
    // A sum or a maximum: its rows are values of its argument's type.
    base = match[1] === 'SimpleAggregateFunction' ? (typeParts(match[2]!)[1] ?? base) : match[2]!.trim()
  }
  base = PLANE[base] ?? base
  const [, name = base, inside] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(base) ?? []
  return { base, name, parts: inside === undefined ? [] : typeParts(inside), nullable }
}

const WRAPPER = /^(Nullable|LowCardinality|SimpleAggregateFunction)\s*\(([\s\S]*)\)$/

/** Types that are aliases. */
const PLANE: Readonly<Record<string, string>> = {
  Point: 'Tuple(Float64, Float64)',
  Ring: 'Array(Tuple(Float64, Float64))',
  LineString: 'Array(Tuple(Float64, Float64))',
  MultiLineString: 'Array(Array(Tuple(Float64, Float64)))',
  Polygon: 'Array(Array(Tuple(Float64, Float64)))',
  MultiPolygon: 'Array(Array(Array(Tuple(Float64, Float64))))',
}

/** Whether it is an alias for points on a plane. */
export const isPlane = (text: string): boolean => Object.hasOwn(PLANE, text.trim())

export type TupleElement = {
  /** null: unnamed. */
  readonly name: string | null
  readonly type: string
}

/** The elements of a `Tuple`: either all have names, or none has. */
export const tupleElements = (parts: readonly string[]): readonly TupleElement[] =>
  parts.map(part => {
    const [, quoted, plain, type] = /^(?:`((?:[^`\\]|\\.)*)`|([A-Za-z_]\w*))\s+([\s\S]+)$/.exec(part) ?? []
    if (type === undefined) return { name: null, type: part }
    return { name: quoted === undefined ? plain! : unescaped(quoted), type }
  })

/** Undoes the engine's escapes in names. A backslash before any other character stands for that character. */
const unescaped = (text: string): string =>
  text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPED[letter] ?? letter)

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '0': '\0' }
