import type { BoundName, BoundSelect } from '../../model/bound-select.ts'
import { findOrigins } from './find-origins.ts'
import { namedSets, namedTables } from './named-tables.ts'
import { type Block, type NamedExpression, type QueryBlocks, readBlocks } from './query-blocks.ts'
import { type SqlToken, tokenize } from './sql-tokens.ts'
import { everyNode, type SyntaxNode } from './syntax-tree.ts'

/**
 * Finds where names in SQL mean tables. The printed tree tells what a name means but not where it is; the text tells where it is but not what it means. So
 * every occurrence of a candidate name is replaced by a marker, and the tree of that text tells what each marker means.
 */
export type NameSearch = {
  readonly sql: string
  readonly tokens: readonly SqlToken[]
  readonly places: readonly Place[]
}

/** One occurrence of a name: one token, or the three of `a.b`. */
type Place = { readonly first: number; readonly last: number; readonly name: string }

/** `tree` is the tree of `sql`. */
export const searchNames = (sql: string, tree: SyntaxNode): NameSearch => {
  const tokens = tokenize(sql)
  const wanted = new Set(everyNode(tree).flatMap(namedTables))
  return { sql, tokens, places: placesOf(tokens).filter(({ name }) => wanted.has(name)) }
}

const placesOf = (tokens: readonly SqlToken[]): readonly Place[] =>
  tokens.flatMap(({ name }, index) => {
    if (name === null || tokens[index - 1]?.text === '.') return []
    if (tokens[index + 1]?.text !== '.') return [{ first: index, last: index, name }]
    const second = tokens[index + 2]?.name
    return second == null ? [] : [{ first: index, last: index + 2, name: `${name}.${second}` }]
  })

const MARK = 'c__mark_'

/** The text with a marker at each of the places. */
export const markNames = ({ sql, tokens }: NameSearch, places: readonly Place[]): string => {
  let text = ''
  let end = 0
  for (const [index, { first, last }] of places.entries()) {
    text += `${sql.slice(end, tokens[first]!.start)}${MARK}${index}`
    end = tokens[last]!.end
  }
  return text + sql.slice(end)
}

/** `places` are the marked places, `tree` is the tree of the marked text. null: text and tree disagree. */
export const bindNames = (search: NameSearch, places: readonly Place[], tree: SyntaxNode): BoundSelect | null => {
  const { sql, tokens } = search
  const blocks = readBlocks(tokens)
  const nodes = everyNode(tree)
  const tables = new Set(nodes.flatMap(({ kind, text }) => (kind === 'TableIdentifier' ? [text] : [])))
  const isWhole =
    nodes.filter(({ kind }) => kind === 'WithElement').length === blocks.expressions.length &&
    [...tables].every(text => text.startsWith(MARK) || text.includes('.'))
  if (!isWhole) return null
  const aliases = new Set(nodes.map(({ alias }) => markedName(places, alias)))
  const sets = new Set(nodes.flatMap(namedSets))
  const qualifiers = new Set(nodes.flatMap(({ kind, text }) => (kind === 'Identifier' ? text.split('.', 1) : [])))
  const kindOf = (index: number, { name }: Place): ReadPlace['is'] | null => {
    if (tables.has(`${MARK}${index}`)) return 'table'
    // In `x IN name`, a name that is also an alias may mean that value, for the engine too.
    if (sets.has(`${MARK}${index}`)) return aliases.has(name) ? null : 'set'
    return name.includes('.') && qualifiers.has(`${MARK}${index}`) ? 'qualifier' : null
  }
  const read = places.flatMap((place, index) => {
    const is = kindOf(index, place)
    return is === null ? [] : [{ ...place, is }]
  })
  const text = { tokens, blocks, scopes: new Scopes(blocks) }
  const tablesRead = read.filter(({ is }) => is === 'table')
  const repeated = findRepeated(text, tablesRead)
  const names = [
    ...read.map(place => bindRead(text, place, repeated)),
    ...blocks.expressions.map((_, index) => bindDefinition(text, index)),
  ].sort((a, b) => a.start - b.start)
  const origins = findOrigins(tokens, blocks, names)
  return { sql, expressions: blocks.expressions.map(({ name }) => name), names, origins }
}

const markedName = (places: readonly Place[], text: string | null): string | null =>
  text?.startsWith(MARK) ? (places[Number(text.slice(MARK.length))]?.name ?? null) : text

type ReadPlace = Place & { readonly is: 'table' | 'set' | 'qualifier' }

type Text = { readonly tokens: readonly SqlToken[]; readonly blocks: QueryBlocks; readonly scopes: Scopes }

const bindRead = ({ tokens, blocks, scopes }: Text, place: ReadPlace, repeated: ReadonlySet<number>): BoundName => {
  const { first, last, name, is } = place
  return {
    start: tokens[first]!.start,
    end: tokens[last]!.end,
    name,
    is,
    expression: scopes.meaning(place),
    within: scopes.innermost(first),
    alias: needsAlias(tokens, place, repeated) ? tokens[last]!.text : null,
    isEnclosed: tokens[first - 1]?.text === '(' && tokens[last + 1]?.text === ')',
    isIsolated: blocks.blocks[first]!.view !== null,
  }
}

const bindDefinition = ({ tokens, blocks, scopes }: Text, index: number): BoundName => {
  const { at, name } = blocks.expressions[index]!
  return {
    start: tokens[at]!.start,
    end: tokens[at]!.end,
    name,
    is: 'definition',
    expression: index,
    within: scopes.innermost(at),
    alias: null,
    isEnclosed: false,
    isIsolated: blocks.blocks[at]!.view !== null,
  }
}

const contains = ({ start, end }: { readonly start: number; readonly end: number }, at: number): boolean =>
  start <= at && at < end

/** Resolves names: which expression encloses a place, and which one a name means there. There may be thousands of each, so neither lookup scans them all. */
class Scopes {
  readonly #blocks: QueryBlocks
  readonly #byName = new Map<string, number[]>()
  readonly #byBody = new Map<Block, number>()

  constructor(blocks: QueryBlocks) {
    this.#blocks = blocks
    for (const [index, { name, body }] of blocks.expressions.entries()) {
      this.#byBody.set(body, index)
      const others = this.#byName.get(name)
      if (others === undefined) this.#byName.set(name, [index])
      else others.push(index)
    }
  }

  /** The innermost expression with that name whose scope contains the place. */
  meaning({ first, name }: Place): number | null {
    const { blocks, expressions } = this.#blocks
    let nearest: number | null = null
    let scopeBefore: NamedExpression['scope'] | null = null
    let isSeen = false
    for (const index of this.#byName.get(name) ?? []) {
      const { at, body, scope, isRecursive } = expressions[index]!
      if (nearest !== null && expressions[nearest]!.scope[0]!.start > scope[0]!.start) continue
      // The expressions of one WITH share a scope, which may consist of thousands of SELECTs. Thousands of them may have one name, so check a scope once.
      if (scope !== scopeBefore) isSeen = scope.some(span => contains(span, first))
      scopeBefore = scope
      if (isSeen && (isRecursive || !contains(body, first)) && blocks[at]!.view === blocks[first]!.view) nearest = index
    }
    return nearest
  }

  /** The innermost expression that it is in. */
  innermost(at: number): number | null {
    for (let block: Block | null = this.#blocks.blocks[at]!; block !== null; block = block.parent) {
      const index = this.#byBody.get(block)
      if (index !== undefined) return index
    }
    return null
  }
}

/**
 * Whether the name must stay as an alias when its table is replaced. Not if the same FROM already has the table without an alias: the engine accepts a repeated
 * name, but not a repeated alias.
 */
const needsAlias = (
  tokens: readonly SqlToken[],
  { first, last, is }: ReadPlace,
  repeated: ReadonlySet<number>,
): boolean => {
  if (is === 'qualifier') return true
  return is !== 'set' && tokens[last + 1]?.text !== 'AS' && !repeated.has(first)
}

/** Occurrences of tables that the same FROM already has without an alias. */
const findRepeated = ({ tokens, blocks: { blocks } }: Text, tables: readonly Place[]): ReadonlySet<number> => {
  const nameAt = new Map(tables.map(({ first, name }) => [first, name]))
  const before = new Map<Block, Set<string>>()
  const repeated = new Set<number>()
  for (const [index, { text }] of tokens.entries()) {
    const block = blocks[index]!
    if (text === 'SELECT') before.delete(block)
    const name = nameAt.get(index)
    if (name === undefined) continue
    const names = before.get(block) ?? new Set()
    if (names.has(name)) repeated.add(index)
    if (tokens[index + 1]?.text !== 'AS') names.add(name)
    before.set(block, names)
  }
  return repeated
}
