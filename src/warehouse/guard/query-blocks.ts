import type { SqlToken } from './sql-tokens.ts'

/** A pair of parentheses, or the whole text. */
export type Block = {
  /** Token indexes: the first after `(`, and that of `)`. */
  readonly start: number
  end: number
  /** Indexes of its own tokens, without those of nested blocks. */
  readonly inside: number[]
  readonly parent: Block | null
  /** Index of the `(` of the enclosing `view(…)`; null: none. */
  readonly view: number | null
}

/** Token indexes; `end` is exclusive. */
type Span = { readonly start: number; readonly end: number }

/** A named expression of a WITH: `name AS (SELECT …)`. */
export type NamedExpression = {
  /** Index of its name. */
  readonly at: number
  readonly name: string
  readonly body: Block
  /** Where its name refers to it. Its own body is excluded unless it is RECURSIVE. The first span is its own SELECT. */
  readonly scope: readonly Span[]
  readonly isRecursive: boolean
}

export type QueryBlocks = {
  readonly whole: Block
  /** The innermost block of each token, by token index. */
  readonly blocks: readonly Block[]
  readonly expressions: readonly NamedExpression[]
  /** The SELECTs of a union, including those in parentheses. */
  readonly selectsOf: (block: Block) => readonly Span[]
}

/** The block structure of SQL printed by the engine. */
export const readBlocks = (tokens: readonly SqlToken[]): QueryBlocks => {
  const whole: Block = { start: 0, end: tokens.length, inside: [], parent: null, view: null }
  const blocks = nest(tokens, whole)
  return { whole, blocks, ...findExpressions(tokens, blocks) }
}

const nest = (tokens: readonly SqlToken[], whole: Block): readonly Block[] => {
  let block = whole
  return tokens.map(({ text }, index) => {
    if (text === ')' && block.parent !== null) {
      block.end = index
      block = block.parent
    }
    const here = block
    here.inside.push(index)
    if (text === '(') {
      const view = tokens[index - 1]?.text === 'view' ? index : here.view
      block = { start: index + 1, end: tokens.length, inside: [], parent: here, view }
    }
    return here
  })
}

const findExpressions = (
  tokens: readonly SqlToken[],
  blocks: readonly Block[],
): Pick<QueryBlocks, 'expressions' | 'selectsOf'> => {
  const membersOf = memoized(findMembers)
  const selectsOf = memoized(findSelects)
  const startsOf = memoized(block => new Set(selectsOf(block).map(({ start }) => start)))
  const found: NamedExpression[] = []
  for (const [index, { text }] of tokens.entries()) if (text === 'WITH') found.push(...expressionsOf(index))
  return { expressions: found, selectsOf }

  function expressionsOf(at: number): readonly NamedExpression[] {
    const block = blocks[at]!
    // Excludes WITH FILL, WITH TOTALS, …
    if (!startsOf(block).has(at)) return []
    const isRecursive = tokens[at + 1]?.text === 'RECURSIVE'
    const scope = scopeOf(block, at)
    const expressions: NamedExpression[] = []
    let isFirst = true
    for (const index of block.inside) {
      if (index <= at || (isRecursive && index === at + 1)) continue
      if (tokens[index]!.text === 'SELECT') break
      const body = isFirst ? bodyOf(index) : null
      if (body !== null) expressions.push({ at: index, name: tokens[index]!.name!, body, scope, isRecursive })
      isFirst = tokens[index]!.text === ','
    }
    return expressions
  }

  /** The body in `name [(columns)] AS [MATERIALIZED] (SELECT …)`. */
  function bodyOf(at: number): Block | null {
    if (tokens[at]!.name === null) return null
    let index = at + 1
    if (tokens[index]?.text === '(') index = closing(index) + 1
    if (tokens[index]?.text !== 'AS') return null
    index += 1
    while (tokens[index]?.text === 'NOT' || tokens[index]?.text === 'MATERIALIZED') index += 1
    return tokens[index]?.text === '(' ? (blocks[index + 1] ?? null) : null
  }

  /** Its own SELECT. The WITH of a union's first SELECT also applies to the others, unless they have their own (`enable_global_with_statement`). */
  function scopeOf(block: Block, at: number): readonly Span[] {
    const own = selectsOf(block).find(({ start }) => start === at)!
    const unions = unionsAround(block)
    const first = selectsOf(unions.at(-1)!)[0]!
    const union = unions.findLast(other => selectsOf(other)[0]!.start === at)
    if (union === undefined || (first.start !== at && isWith(first))) return [own]
    return [own, ...selectsOf(union).filter(other => !isWith(other))]
  }

  function isWith({ start }: Span): boolean {
    return tokens[start]?.text === 'WITH'
  }

  /** A block and the unions that contain it as a parenthesized member, from the inside out. */
  function unionsAround(block: Block): readonly Block[] {
    const { parent } = block
    const isMember = parent !== null && membersOf(parent).some(({ start }) => start === block.start - 1)
    return isMember && isSelect(block) ? [block, ...unionsAround(parent)] : [block]
  }

  function isSelect({ start }: Span): boolean {
    const text = tokens[start]?.text
    return text === 'SELECT' || text === 'WITH' || (text === '(' && isSelect({ start: start + 1, end: start + 2 }))
  }

  function findSelects(block: Block): readonly Span[] {
    return membersOf(block).flatMap(member => {
      const inner = tokens[member.start]?.text === '(' ? blocks[member.start + 1] : undefined
      const isEnclosed = inner?.start === member.start + 1 && inner.end === member.end - 1
      return isEnclosed ? selectsOf(inner) : [member]
    })
  }

  function findMembers(block: Block): readonly Span[] {
    const members: Span[] = []
    let start = block.start
    for (const index of block.inside) {
      if (!isSetOperator(index)) continue
      members.push({ start, end: index })
      const isLong = tokens[index + 1]?.text === 'ALL' || tokens[index + 1]?.text === 'DISTINCT'
      start = isLong ? index + 2 : index + 1
    }
    return [...members, { start, end: block.end }]
  }

  function closing(open: number): number {
    return tokens[open + 1]?.text === ')' ? open + 1 : (blocks[open + 1]?.end ?? tokens.length)
  }

  function isSetOperator(index: number): boolean {
    const text = tokens[index]?.text
    if (text === 'UNION' || text === 'INTERSECT') return true
    // Otherwise it belongs to `* EXCEPT (a)`.
    return text === 'EXCEPT' && tokens.slice(index + 1, index + 4).some(({ text: next }) => SELECT_WORDS.has(next))
  }
}

/** Computed once per block: there may be thousands of blocks, each looked up from many places. */
const memoized = <T>(find: (block: Block) => T): ((block: Block) => T) => {
  const known = new Map<Block, T>()
  return block => {
    const before = known.get(block)
    if (before !== undefined) return before
    const found = find(block)
    known.set(block, found)
    return found
  }
}

const SELECT_WORDS: ReadonlySet<string> = new Set(['SELECT', 'WITH'])
