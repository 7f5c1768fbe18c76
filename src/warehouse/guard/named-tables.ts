import type { SyntaxNode } from './syntax-tree.ts'

/** IN and its variants. */
export const IN_FUNCTION = /^(global)?(not)?(null)?in(ignoreset)?$/i

/** The tables that a node itself names, without its descendants: the table in a FROM, and the right side of an IN (`x IN name`). */
export const namedTables = (node: SyntaxNode): readonly string[] =>
  node.kind === 'TableIdentifier' ? [node.text] : namedSets(node)

/** The name on the right side of an IN: a table, unless it is the name of a value. */
export const namedSets = (node: SyntaxNode): readonly string[] => {
  const set = node.kind === 'Function' && IN_FUNCTION.test(node.text) ? node.children[0]?.children[1] : undefined
  return set?.kind === 'Identifier' ? [set.text] : []
}
