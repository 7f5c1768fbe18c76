/** A SELECT as the engine prints it, with every place where a name means a table. */
export type BoundSelect = {
  readonly sql: string
  /** Names of its own common table expressions. */
  readonly expressions: readonly string[]
  /** In order of position. */
  readonly names: readonly BoundName[]
  /**
   * The first table in the FROM of each SELECT in the union (UNION, INTERSECT, EXCEPT), resolved through its own sub-queries and expressions, each name once.
   * null: one of them starts with no table.
   */
  readonly origins: readonly (string | null)[]
}

export type BoundName = {
  /** Its position in the text, including quotes. */
  readonly start: number
  readonly end: number
  /** Without quotes; `a.b` if qualified with a database. */
  readonly name: string
  /**
   * - `definition`: names one of the SELECT's own expressions.
   * - `table`: is read.
   * - `set`: the right side of IN, which is read, too.
   * - `qualifier`: a database-qualified table before one of its columns.
   */
  readonly is: 'definition' | 'table' | 'set' | 'qualifier'
  /** The own expression that it refers to; null: something outside the SELECT. */
  readonly expression: number | null
  /** The expression whose text it is in; null: none. */
  readonly within: number | null
  /** The alias, with quotes, that must stay when the table is replaced, because columns may be qualified with it. null: it has an alias, or needs none. */
  readonly alias: string | null
  /** It stands alone in parentheses. */
  readonly isEnclosed: boolean
  /** It is inside `view(…)`, which sees only tables. */
  readonly isIsolated: boolean
}

export const isRead = ({ is }: BoundName): boolean => is === 'table' || is === 'set'

/** What a SELECT reads from outside, in order, with repetitions. */
export const outerNames = ({ names }: BoundSelect): readonly BoundName[] =>
  names.filter(name => isRead(name) && name.expression === null)
