/** A node of what `EXPLAIN AST` prints. */
export type SyntaxNode = {
  /** `Function`, `TableIdentifier`, … */
  readonly kind: string
  /** What follows the kind: a name, a value; its alias taken off. */
  readonly text: string
  readonly alias: string | null
  readonly children: readonly SyntaxNode[]
}

/** A node and all below it; those of one parent one after another. */
export const everyNode = (node: SyntaxNode): readonly SyntaxNode[] => {
  const nodes = [node]
  for (let index = 0; index < nodes.length; index++) for (const child of nodes[index]!.children) nodes.push(child)
  return nodes
}

type OpenNode = SyntaxNode & { readonly children: OpenNode[]; readonly depth: number; readonly childCount: number }

/**
 * The tree that `EXPLAIN AST` printed, one node a line, indented by depth; null when the lines make no such tree. Names are
 * printed as they are: a line break in one (`` `a\nb` ``) could otherwise forge nodes.
 */
export const readSyntaxTree = (lines: readonly string[]): SyntaxNode | null => {
  const path: OpenNode[] = []
  for (const line of lines) {
    const node = readLine(line)
    if (node === null || node.depth > path.length || (node.depth === 0 && path.length > 0)) return null
    path.length = node.depth
    path.at(-1)?.children.push(node)
    path.push(node)
  }
  const root = path[0]
  return root !== undefined && isComplete(root) ? root : null
}

// Of texts and names, U+2028 and U+2029, which end a line for JavaScript alone. The engine writes a text with an escaped carriage return, a name with a bare one.
const LINE = /^( *)([A-Za-z:]+)(?: ([^\r\n]*))?$/
const ALIAS = / ?\(alias ([^\r\n]*)\)$/
const CHILD_COUNT = / \(children (\d+)\)$/

const readLine = (line: string): OpenNode | null => {
  const childCount = Number(CHILD_COUNT.exec(line)?.[1] ?? 0)
  const match = LINE.exec(line.replace(CHILD_COUNT, ''))
  if (match === null) return null
  const [, indent, kind, text = ''] = match
  return {
    kind: kind!,
    text: kind === 'Literal' || !text.endsWith(')') ? text : text.replace(ALIAS, ''),
    // Of a long text that has no such end, it would be looked for from each `(alias` in it.
    alias: text.endsWith(')') ? (ALIAS.exec(text)?.[1] ?? null) : null,
    depth: indent!.length,
    childCount,
    children: [],
  }
}

const isComplete = (node: OpenNode): boolean =>
  node.children.length === node.childCount && node.children.every(isComplete)
