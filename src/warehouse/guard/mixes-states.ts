import type { FunctionRules } from './function-catalogue.ts'
import type { SyntaxNode } from './syntax-tree.ts'

/** Whether any SELECT in the tree returns plain values of aggregate functions beside states of others (`count(), sumState(x)`). */
export const mixesStates = (node: SyntaxNode, functions: Pick<FunctionRules, 'isAggregate'>): boolean => {
  if (node.kind === 'SelectQuery') {
    const called = givenOf(node).flatMap(callsIn).filter(functions.isAggregate)
    const states = called.filter(name => STATE.test(name))
    if (states.length > 0 && states.length < called.length) return true
  }
  return node.children.some(child => mixesStates(child, functions))
}

/** `countState`, `sumStateIf`, `maxSimpleState`. */
const STATE = /State(?![a-z])/

/** The result columns of a SELECT come before its FROM; the nodes after it choose rows and groups. */
const givenOf = ({ children }: SyntaxNode): readonly SyntaxNode[] => {
  const from = children.findIndex(({ kind }) => kind === 'TablesInSelectQuery')
  return from === -1 ? children : children.slice(0, from)
}

/** Skips sub-queries, which have results of their own. */
const callsIn = (node: SyntaxNode): readonly string[] =>
  node.kind === 'Subquery' ? [] : [...(node.kind === 'Function' ? [node.text] : []), ...node.children.flatMap(callsIn)]
