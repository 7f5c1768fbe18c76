import type { BoundName } from '../../model/bound-select.ts'
import type { Block, QueryBlocks } from './query-blocks.ts'
import type { SqlToken } from './sql-tokens.ts'

/** What the rows of a SELECT come from; see `BoundSelect.origins`. */
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
      const from = blocks[start]!.inside.find(index => start <= index && index < end && tokens[index]!.text === 'FROM')
      for (const origin of from === undefined ? NONE : ofTable(from + 1)) origins.add(origin)
    }
    return origins
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
    // One that reads itself gives what it began with.
    known.set(index, new Set())
    const origins = ofBlock(expressions[index]!.body)
    known.set(index, origins)
    return origins
  }

  return [...ofBlock(whole)]
}

type Origins = ReadonlySet<string | null>

const NONE: Origins = new Set([null])
const BEGINS_SELECT: ReadonlySet<string> = new Set(['SELECT', 'WITH', '('])
