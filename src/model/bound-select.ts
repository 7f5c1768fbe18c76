/** A SELECT as the engine prints it, and every place in it where a name stands for a table. */
export type BoundSelect = {
  readonly sql: string
  /** Names of its own common table expressions. */
  readonly expressions: readonly string[]
  /** By place. */
  readonly names: readonly BoundName[]
  /**
   * The first table in the FROM of each SELECT that it is put together of (UNION, INTERSECT, EXCEPT), through its own sub-queries and expressions, each
   * name once; null: one begins with none.
   */
  readonly origins: readonly (string | null)[]
}

export type BoundName = {
  /** Its place in the text, with quotes. */
  readonly start: number
  readonly end: number
  /** Without quotes; `a.b` when it is named with a database. */
  readonly name: string
  /**
   * `definition`: of an expression of the SELECT's own. `table`: what is read. `set`: what IN looks into, which is read too. `qualifier`: a table
   * with its database before a column of it.
   */
  readonly is: 'definition' | 'table' | 'set' | 'qualifier'
  /** Which of the SELECT's own expressions it means; null: something outside. */
  readonly expression: number | null
  /** In the text of which expression it stands; null: of none. */
  readonly within: number | null
  /** What columns may be called by: where a table is replaced this has to stay as its alias, with its quotes. null: it has one, or needs none. */
  readonly alias: string | null
  /** It stands in parentheses alone. */
  readonly isEnclosed: boolean
  /** In `view(…)`, which sees tables alone. */
  readonly isIsolated: boolean
}

export const isRead = ({ is }: BoundName): boolean => is === 'table' || is === 'set'

/** What a SELECT reads of what is not its own, in order, as often as it stands there. */
export const outerNames = ({ names }: BoundSelect): readonly BoundName[] =>
  names.filter(name => isRead(name) && name.expression === null)
