import { type BoundName, type BoundSelect, isRead, outerNames } from './bound-select.ts'

/** A named SELECT that can be read like a table. Compared by identity. */
export type Definition = {
  readonly name: string
  readonly select: BoundSelect
  /** What a name from outside the SELECT means; null: leave it to the engine. */
  readonly meaning: (name: string) => Definition | 'table' | null
}

/**
 * Rewrites a SELECT that reads definitions to one that reads only tables. Definitions become common table expressions before it, each once, dependencies first.
 * The engine resolves a name where an expression is used, not where it is written (ClickHouse 26.7), so every expression, including users' own, gets a name
 * that is unique in the statement. Table names stay unqualified: they resolve in the database in which the statement runs.
 */
export const flattenSelect = (root: Definition): string => {
  const names = new Map<Definition | 'table' | null, string>()
  const expressions: string[] = []
  let count = 0
  const nextName = (name: string): string => `c__${++count}${/^\w+$/.test(name) ? `_${name}` : ''}`
  const define = (definition: Definition): void => {
    if (names.has(definition)) return
    const text = write(definition, writeSet)
    const name = nextName(definition.name)
    names.set(definition, name)
    expressions.push(`\`${name}\` AS (\n${text}\n)`)
  }
  const write = (definition: Definition, writeOuterSet: (place: BoundName, name?: string) => string | null): string => {
    const { select, meaning } = definition
    for (const { name } of outerNames(select)) {
      const other = meaning(name)
      if (isDefinition(other)) define(other)
    }
    const own = select.expressions.map(nextName)
    return replaceNames(select, place => {
      if (place.expression !== null) return writeName(place, own[place.expression]!)
      const other = meaning(place.name)
      if (other === null) return null
      if (place.is === 'qualifier') return place.alias
      if (place.is === 'set') return writeOuterSet(place, names.get(other))
      return other === 'table' ? null : writeName(place, names.get(other)!)
    })
  }
  const writeName = (place: BoundName, name: string): string => {
    if (place.is === 'set') return writeSet(place, name)
    return place.alias === null ? `\`${name}\`` : `\`${name}\` AS ${place.alias}`
  }
  /** A bare name could also mean a column in the SELECT that reads the definition. */
  const writeSet = (place: BoundName, name = place.name): string => enclosed(place, `\`${name}\``)
  /** Nothing reads the root, so its bare names may stay: they mean a column if there is one. */
  const plain = new Map<string, string>()
  const writeRootSet = (place: BoundName, name = place.name): string | null => {
    if (place.name.includes('.')) return writeSet(place, name)
    if (name !== place.name) plain.set(place.name, name)
    return null
  }

  const sql = write(root, writeRootSet)
  for (const [name, other] of plain) expressions.push(`\`${name}\` AS (SELECT * FROM \`${other}\`)`)
  return expressions.length === 0 ? sql : `WITH ${expressions.join(', ')} SELECT * FROM (\n${sql}\n)`
}

const isDefinition = (meaning: Definition | 'table' | null): meaning is Definition =>
  meaning !== null && meaning !== 'table'

/** The name of a definition that cannot be inlined: `view(…)` is a query of its own, which does not see the expressions before it. null: none. */
export const isolatedName = ({ select, meaning }: Definition): string | null =>
  outerNames(select).find(({ isIsolated, name }) => isIsolated && isDefinition(meaning(name)))?.name ?? null

const enclosed = ({ isEnclosed }: BoundName, table: string): string =>
  isEnclosed ? `SELECT * FROM ${table}` : `(SELECT * FROM ${table})`

const replaceNames = ({ sql, names }: BoundSelect, replacement: (place: BoundName) => string | null): string => {
  let text = ''
  let end = 0
  for (const place of names) {
    text += sql.slice(end, place.start) + (replacement(place) ?? sql.slice(place.start, place.end))
    end = place.end
  }
  return text + sql.slice(end)
}

/** How often tables are read after all definitions are inlined, as the engine does it. Counting stops a little above `most`. */
export const countReads = (root: Definition, most: number): number => {
  const known = new Map<string, number>()
  const ids = new Map<Definition, number>()
  const reads = new Map<Definition, ReadonlyMap<number | null, readonly BoundName[]>>()
  const idOf = (definition: Definition): number => {
    const id = ids.get(definition) ?? ids.size
    ids.set(definition, id)
    return id
  }
  const readsOf = (definition: Definition): ReadonlyMap<number | null, readonly BoundName[]> => {
    const found = reads.get(definition) ?? Map.groupBy(definition.select.names.filter(isRead), ({ within }) => within)
    reads.set(definition, found)
    return found
  }
  /** The reads within one of its expressions, or outside all of them (null). */
  const count = (definition: Definition, within: number | null): number => {
    const key = `${idOf(definition)}.${within}`
    const before = known.get(key)
    if (before !== undefined) return before
    // A recursive expression is not inlined into itself.
    known.set(key, 0)
    let sum = 0
    for (const place of readsOf(definition).get(within) ?? []) {
      const other = place.expression === null ? definition.meaning(place.name) : null
      if (place.expression !== null) sum += count(definition, place.expression)
      else sum += isDefinition(other) ? Math.max(1, count(other, null)) : 1
    }
    known.set(key, Math.min(sum, most + 1))
    return known.get(key)!
  }
  return count(root, null)
}
