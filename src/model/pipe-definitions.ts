import type { BoundSelect } from './bound-select.ts'
import type { Catalogue } from './catalogue.ts'
import { earlierNode, findPipe } from './catalogue-graph.ts'
import type { Definition } from './flatten-select.ts'
import type { Pipe, PipeNode } from './pipe.ts'

/** Nodes and pipes as definitions. `boundOf` returns the bound SQL of a node; it must know all nodes that are read (`readsOf`). */
export const createDefinitions = (catalogue: Catalogue, boundOf: (node: PipeNode) => BoundSelect) => {
  const known = new Map<PipeNode, Definition>()
  const ofNode = (pipe: Pipe, node: PipeNode): Definition => {
    const before = known.get(node)
    if (before !== undefined) return before
    const definition: Definition = {
      name: node.name,
      select: boundOf(node),
      meaning: name => {
        // The node cannot mean an object created after it was saved: the name may be one of its columns.
        if (!node.reads.includes(name)) return null
        const earlier = earlierNode(pipe, node, name)
        return earlier === undefined ? (ofPipe(name) ?? 'table') : ofNode(pipe, earlier)
      },
    }
    known.set(node, definition)
    return definition
  }
  /** What readers of a pipe read: its last node. null: there is no pipe with this name. */
  const ofPipe = (name: string): Definition | null => {
    const pipe = findPipe(catalogue, name)
    return pipe?.name === name ? ofNode(pipe, pipe.nodes.at(-1)!) : null
  }
  return { ofNode, ofPipe }
}
