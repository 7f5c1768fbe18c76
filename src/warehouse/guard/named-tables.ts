import type { SyntaxNode } from './syntax-tree.ts'

/** The functions that IN and its kin are. */
export const IN_FUNCTION = /^(global)?(not)?(null)?in(ignoreset)?$/i

/** Names of tables that a node itself has, not those below it: that of a table in a FROM, and what an IN looks into (`x IN name`). */
export const namedTables = (node: SyntaxNode): readonly string[] =>
  node.kind === 'TableIdentifier' ? [node.text] : namedSets(node)

/** What an IN looks into, by name: a table, unless the name is that of a value. */
export const namedSets = (node: SyntaxNode): readonly string[] => {
  const set = node.kind === 'Function' && IN_FUNCTION.test(node.text) ? node.children[0]?.children[1] : undefined
  return set?.kind === 'Identifier' ? [set.text] : []
}
