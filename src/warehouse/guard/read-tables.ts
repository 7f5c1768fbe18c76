import { IN_FUNCTION } from './judge-tree.ts'
import type { SyntaxNode } from './syntax-tree.ts'

/** What a SELECT names as tables: data sources, pipes, nodes, and common table expressions of its own. */
export type TablesRead = {
  /** Each once, in order of appearance. */
  readonly tables: readonly string[]
  /** The same, the first of each FROM before the rest: the first that is no expression of its own is what the SELECT is fed by. */
  readonly fromFirst: readonly string[]
}

export const readTables = (root: SyntaxNode): TablesRead => ({
  tables: [...new Set(inOrder(root))],
  fromFirst: [...new Set(firstOfFrom(root))],
})

const inOrder = (node: SyntaxNode): readonly string[] => [
  ...(node.kind === 'TableIdentifier' ? [node.text] : []),
  ...setOfIn(node),
  ...node.children.flatMap(inOrder),
]

/** `x IN name` looks into a table of that name. */
const setOfIn = (node: SyntaxNode): readonly string[] => {
  if (node.kind !== 'Function' || !IN_FUNCTION.test(node.text)) return []
  const set = node.children[0]?.children[1]
  return set?.kind === 'Identifier' ? [set.text] : []
}

/** The printed tree does not tell how an expression before a SELECT is called, so all of them come behind its FROM. */
const firstOfFrom = (node: SyntaxNode): readonly string[] => {
  if (node.kind === 'TableIdentifier') return [node.text]
  if (node.kind !== 'SelectQuery') return node.children.flatMap(firstOfFrom)
  const from = node.children.filter(child => child.kind === 'TablesInSelectQuery')
  const others = node.children.filter(child => child.kind !== 'TablesInSelectQuery')
  return [...from, ...others].flatMap(firstOfFrom)
}
