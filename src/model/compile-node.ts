import type { Catalogue } from './catalogue.ts'
import { earlierNode, findPipe } from './catalogue-graph.ts'
import type { Pipe, PipeNode } from './pipe.ts'

/**
 * The SQL of a node as one SELECT over data sources alone: the nodes and pipes it reads stand before it as common table
 * expressions. Names in them are unqualified, so they bind to the database that the statement runs in.
 */
export const compileNode = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): string => {
  const definitions: Definitions = new Map()
  defineReads(catalogue, pipe, node, definitions)
  return withExpressions(definitions, node.sql)
}

/** A SELECT of a user that names pipes, as one that names data sources alone. */
export const compileQuery = (catalogue: Catalogue, sql: string, reads: readonly string[]): string => {
  const definitions: Definitions = new Map()
  for (const name of reads) definePipe(catalogue, name, definitions)
  return withExpressions(definitions, sql)
}

/** SQL by name, in order: what is read comes before who reads it. */
type Definitions = Map<string, string>

/** Names of nodes and pipes are plain: `nameFault`. */
const withExpressions = (definitions: Definitions, sql: string): string => {
  const expressions = [...definitions].map(([name, text]) => `\`${name}\` AS (\n${text}\n)`)
  return expressions.length === 0 ? sql : `WITH ${expressions.join(', ')} SELECT * FROM (\n${sql}\n)`
}

/** Of all that a node reads and its own nodes read, each once: a node that two others read would else be gone through twice, and so on below it. */
const defineReads = (catalogue: Catalogue, pipe: Pipe, node: PipeNode, definitions: Definitions): void => {
  for (const name of node.reads) {
    const earlier = earlierNode(pipe, node, name)
    if (earlier === undefined) definePipe(catalogue, name, definitions)
    else if (!definitions.has(name)) {
      defineReads(catalogue, pipe, earlier, definitions)
      definitions.set(name, earlier.sql)
    }
  }
}

/** A data source needs no definition. */
const definePipe = (catalogue: Catalogue, name: string, definitions: Definitions): void => {
  const pipe = findPipe(catalogue, name)
  if (pipe === undefined || definitions.has(name)) return
  definitions.set(name, compileNode(catalogue, pipe, pipe.nodes.at(-1)!))
}
