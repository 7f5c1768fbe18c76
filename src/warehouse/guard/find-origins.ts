import type { BoundName } from '../../model/bound-select.ts'
import type { Block, QueryBlocks } from './query-blocks.ts'
import type { SqlToken } from './sql-tokens.ts'

/** The tables that the rows of a SELECT come from; see `BoundSelect.origins`. */
export const findOrigins = (
  tokens: readonly SqlToken[],
  { whole, blocks, expressions, selectsOf }: QueryBlocks,
  names: readonly BoundName[],
): readonly (string | null)[] => {
  const byStart = new Map(names.map(name => [name.start, name]))
  const known = new Map<number, Origins>()

  const ofBlock = (block: Block): Origins => {
    const origins = new Set<string | null>()
    for (const { start, end } of selectsOf(block)) {
      const from = fromOf(start, end)
      for (const origin of from === null ? NONE : ofTable(from + 1)) origins.add(origin)
    }
    return origins
  }

  /** The FROM of a SELECT. Uses binary search, because a union may have thousands of them. */
  const fromOf = (start: number, end: number): number | null => {
    const { inside } = blocks[start]!
    for (let place = firstFrom(inside, start); place < inside.length && inside[place]! < end; place++)
      if (tokens[inside[place]!]!.text === 'FROM') return inside[place]!
    return null
  }

  const ofTable = (at: number): Origins => {
    const token = tokens[at]
    const next = tokens[at + 1]?.text ?? ''
    if (token?.text === '(' && BEGINS_SELECT.has(next)) return ofBlock(blocks[at + 1]!)
    if (token?.text === 'view' && next === '(') return ofBlock(blocks[at + 2]!)
    const place = byStart.get(token?.start ?? -1)
    if (place === undefined) return NONE
    return place.expression === null ? new Set([place.name]) : ofExpression(place.expression)
  }

  const ofExpression = (index: number): Origins => {
    const before = known.get(index)
    if (before !== undefined) return before
    // A recursive expression has the origins of the SELECT it starts with.
    known.set(index, new Set())
    const origins = ofBlock(expressions[index]!.body)
    known.set(index, origins)
    return origins
  }

  return [...ofBlock(whole)]
}

/** The index of the first of ascending numbers that is at least `least`. */
const firstFrom = (numbers: readonly number[], least: number): number => {
  let low = 0
  for (let high = numbers.length; low < high; ) {
    const middle = (low + high) >> 1
    if (numbers[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}

type Origins = ReadonlySet<string | null>

const NONE: Origins = new Set([null])
const BEGINS_SELECT: ReadonlySet<string> = new Set(['SELECT', 'WITH', '('])
