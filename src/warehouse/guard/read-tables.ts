import { type BoundSelect, isRead } from '../../model/bound-select.ts'
import { namedTables } from './named-tables.ts'
import type { SyntaxNode } from './syntax-tree.ts'

/** The tables that a SELECT names, except its own WITH expressions: data sources, pipes and nodes. */
export type TablesRead = {
  /** Each table once, in order of appearance. */
  readonly tables: readonly string[]
  /** Those in a FROM or JOIN, without the right sides of IN. The FROM of a SELECT comes before its other parts. */
  readonly fromFirst: readonly string[]
}

export const readTables = (root: SyntaxNode, { names }: BoundSelect): TablesRead => {
  const isOwn = (name: string): boolean => {
    const places = names.filter(place => place.name === name && isRead(place))
    return places.length > 0 && places.every(({ expression }) => expression !== null)
  }
  const outer = (found: readonly string[]) => [...new Set(found)].filter(name => !isOwn(name))
  return { tables: outer(inOrder(root)), fromFirst: outer(firstOfFrom(root)) }
}

const inOrder = (node: SyntaxNode): readonly string[] => [...namedTables(node), ...node.children.flatMap(inOrder)]

/** The printed tree does not name the expressions before a SELECT, so they all come after its FROM. */
const firstOfFrom = (node: SyntaxNode): readonly string[] => {
  if (node.kind === 'TableIdentifier') return [node.text]
  if (node.kind !== 'SelectQuery') return node.children.flatMap(firstOfFrom)
  const from = node.children.filter(child => child.kind === 'TablesInSelectQuery')
  const others = node.children.filter(child => child.kind !== 'TablesInSelectQuery')
  return [...from, ...others].flatMap(firstOfFrom)
}
