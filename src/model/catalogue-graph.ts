import type { Catalogue } from './catalogue.ts'
import { type DataSource, goesByOrder } from './data-source.ts'
import type { Pipe, PipeNode } from './pipe.ts'

/** A materialized node as an edge between two data sources: rows appended to `from` pass through it into `into`. */
export type Feed = { readonly pipe: Pipe; readonly node: PipeNode; readonly from: string; readonly into: string }

export const findDataSource = (catalogue: Catalogue, nameOrId: string): DataSource | undefined =>
  catalogue.dataSources.find(({ name, id }) => name === nameOrId || id === nameOrId)

export const findPipe = (catalogue: Catalogue, nameOrId: string): Pipe | undefined =>
  catalogue.pipes.find(({ name, id }) => name === nameOrId || id === nameOrId)

export const findNode = (pipe: Pipe, name: string): PipeNode | undefined => pipe.nodes.find(node => node.name === name)

/** The data source that feeds a node, at the end of the chain of nodes and pipes it reads; null: none. */
export const sourceOf = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): string | null => {
  if (node.source === null) return null
  const earlier = earlierNode(pipe, node, node.source)
  if (earlier !== undefined) return sourceOf(catalogue, pipe, earlier)
  const other = findPipe(catalogue, node.source)
  if (other !== undefined) return sourceOf(catalogue, other, other.nodes.at(-1)!)
  return node.source
}

/** All data sources that a node reads, directly or through nodes and pipes. */
export const dataSourcesOf = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): ReadonlySet<string> =>
  readsOf(catalogue, pipe, node).dataSources

/** Everything that a node reads, directly or through nodes and pipes, including itself. */
export const readsOf = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): Reads => {
  const dataSources = new Set<string>()
  const nodes = new Set<PipeNode>()
  const visit = (of: Pipe, reader: PipeNode): void => {
    if (nodes.has(reader)) return
    nodes.add(reader)
    for (const read of reader.reads) {
      const earlier = earlierNode(of, reader, read)
      const other = earlier === undefined ? findPipe(catalogue, read) : undefined
      if (earlier !== undefined) visit(of, earlier)
      else if (other !== undefined) visit(other, other.nodes.at(-1)!)
      else dataSources.add(read)
    }
  }
  visit(pipe, node)
  return { nodes, dataSources }
}

type Reads = { readonly nodes: ReadonlySet<PipeNode>; readonly dataSources: ReadonlySet<string> }

/** The pipe with a node of this name. In SQL, a name must be unambiguous. */
export const pipeWithNode = (catalogue: Catalogue, name: string): Pipe | undefined =>
  catalogue.pipes.find(pipe => findNode(pipe, name) !== undefined)

/** A node reads only earlier nodes, so a pipe has no cycle in itself. */
export const earlierNode = (pipe: Pipe, node: PipeNode, name: string): PipeNode | undefined =>
  pipe.nodes.slice(0, pipe.nodes.indexOf(node)).find(other => other.name === name)

export const feedsOf = (catalogue: Catalogue): readonly Feed[] =>
  catalogue.pipes.flatMap(pipe =>
    pipe.nodes.flatMap(node => {
      const from = node.role.type === 'materialized' ? sourceOf(catalogue, pipe, node) : null
      return from === null || node.role.type !== 'materialized' ? [] : [{ pipe, node, from, into: node.role.into }]
    }),
  )

/** All feeds to run when rows are added to a data source, each after those that fill what it reads. The catalogue must have no cycle. */
export const feedsBelow = (catalogue: Catalogue, name: string): readonly Feed[] => {
  const feeds = feedsOf(catalogue)
  const visited = new Set<string>()
  const order: string[] = []
  const visit = (from: string): void => {
    if (visited.has(from)) return
    visited.add(from)
    for (const { into } of feeds.filter(feed => feed.from === from)) visit(into)
    order.unshift(from)
  }
  visit(name)
  return order.flatMap(from => feeds.filter(feed => feed.from === from))
}

/** The data sources changed by a write to this one, itself first. */
export const writtenWith = (catalogue: Catalogue, name: string): readonly string[] => [
  ...new Set([name, ...feedsBelow(catalogue, name).map(({ into }) => into)]),
]

/** Whether the order of written rows matters, in this data source or in those that it feeds. */
export const orderCounts = (catalogue: Catalogue, name: string): boolean =>
  writtenWith(catalogue, name).some(written => goesByOrder(findDataSource(catalogue, written)!))

/** The data sources in a cycle of feeds; null: there is none. */
export const findFeedCycle = (catalogue: Catalogue): readonly string[] | null => {
  const feeds = feedsOf(catalogue)
  const done = new Set<string>()
  const search = (name: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return null
    for (const { into } of feeds.filter(({ from }) => from === name)) {
      const cycle = search(into, [...path, name])
      if (cycle !== null) return cycle
    }
    done.add(name)
    return null
  }
  for (const { from } of feeds) {
    const cycle = search(from, [])
    if (cycle !== null) return cycle
  }
  return null
}

/** The pipes in a cycle of reads that includes this one; null: there is none. */
export const findPipeCycle = (catalogue: Catalogue, start: Pipe): readonly string[] | null => {
  const visited = new Set<Pipe>()
  const search = (pipe: Pipe, path: readonly string[]): readonly string[] | null => {
    if (visited.has(pipe)) return null
    visited.add(pipe)
    for (const node of pipe.nodes)
      for (const read of node.reads) {
        const other = earlierNode(pipe, node, read) === undefined ? findPipe(catalogue, read) : undefined
        if (other === undefined) continue
        if (other.name === start.name) return [...path, other.name]
        const cycle = search(other, [...path, other.name])
        if (cycle !== null) return cycle
      }
    return null
  }
  return search(start, [start.name])
}

/** Pipes that read a data source or write into it. */
export const pipesOf = (catalogue: Catalogue, dataSource: string): readonly Pipe[] =>
  catalogue.pipes.filter(pipe =>
    pipe.nodes.some(
      node =>
        (node.role.type !== 'plain' && node.role.into === dataSource) ||
        (node.reads.includes(dataSource) && earlierNode(pipe, node, dataSource) === undefined),
    ),
  )

/** Other pipes that read this one. */
export const readersOf = (catalogue: Catalogue, pipe: Pipe): readonly Pipe[] =>
  catalogue.pipes.filter(
    other =>
      other.id !== pipe.id &&
      other.nodes.some(node => node.reads.includes(pipe.name) && earlierNode(other, node, pipe.name) === undefined),
  )
