/** A node of the tree that `EXPLAIN AST` prints. */
export type SyntaxNode = {
  /** `Function`, `TableIdentifier`, … */
  readonly kind: string
  /** The text after the kind (a name, a value), without the alias. */
  readonly text: string
  readonly alias: string | null
  readonly children: readonly SyntaxNode[]
}

/** A node and all its descendants, breadth first. */
export const everyNode = (node: SyntaxNode): readonly SyntaxNode[] => {
  const nodes = [node]
  for (let index = 0; index < nodes.length; index++) for (const child of nodes[index]!.children) nodes.push(child)
  return nodes
}

type OpenNode = SyntaxNode & { readonly children: OpenNode[]; readonly depth: number; readonly childCount: number }

/**
 * Parses the output of `EXPLAIN AST`, one node per line, indented by depth; null if it is malformed. Names are printed raw, so a line break in one (`` `a\nb`
 * ``) could otherwise forge nodes.
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

// Texts and names may contain U+2028 and U+2029, which end a line only in JavaScript. The engine escapes a carriage return in a text, but not in a name.
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
    // Without this check, a long text without that ending would be scanned from every `(alias` in it.
    alias: text.endsWith(')') ? (ALIAS.exec(text)?.[1] ?? null) : null,
    depth: indent!.length,
    childCount,
    children: [],
  }
}

const isComplete = (node: OpenNode): boolean =>
  node.children.length === node.childCount && node.children.every(isComplete)
