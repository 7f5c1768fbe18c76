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
  base = PLANE[base] ?? base
  const [, name = base, inside] = /^(\w+)\s*(?:\(([\s\S]*)\))?$/.exec(base) ?? []
  return { base, name, parts: inside === undefined ? [] : typeParts(inside), nullable }
}

const WRAPPER = /^(Nullable|LowCardinality|SimpleAggregateFunction)\s*\(([\s\S]*)\)$/

/** Types that are names for others. */
const PLANE: Readonly<Record<string, string>> = {
  Point: 'Tuple(Float64, Float64)',
  Ring: 'Array(Tuple(Float64, Float64))',
  LineString: 'Array(Tuple(Float64, Float64))',
  MultiLineString: 'Array(Array(Tuple(Float64, Float64)))',
  Polygon: 'Array(Array(Tuple(Float64, Float64)))',
  MultiPolygon: 'Array(Array(Array(Tuple(Float64, Float64))))',
}

/** Whether it is one of points on a plane. */
export const isPlane = (text: string): boolean => Object.hasOwn(PLANE, text.trim())

export type TupleElement = {
  /** null: it has none. */
  readonly name: string | null
  readonly type: string
}

/** Of the parts of a `Tuple`: all of them have names, or none has. */
export const tupleElements = (parts: readonly string[]): readonly TupleElement[] =>
  parts.map(part => {
    const [, quoted, plain, type] = /^(?:`((?:[^`\\]|\\.)*)`|([A-Za-z_]\w*))\s+([\s\S]+)$/.exec(part) ?? []
    if (type === undefined) return { name: null, type: part }
    return { name: quoted === undefined ? plain! : unescaped(quoted), type }
  })

/** As the engine writes names: what has no letter of its own stands for itself behind a backslash. */
const unescaped = (text: string): string =>
  text.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPED[letter] ?? letter)

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '0': '\0' }
