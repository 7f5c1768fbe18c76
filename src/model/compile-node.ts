import type { Catalogue } from './catalogue.ts'
import { earlierNode, findPipe } from './catalogue-graph.ts'
import type { Pipe, PipeNode } from './pipe.ts'

/**
 * The SQL of a node as one SELECT over data sources alone: the nodes and pipes it reads stand before it as common table
 * expressions. Names in them are unqualified, so they bind to the database that the statement runs in.
 */
export const compileNode = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): string =>
  withExpressions(definitionsOf(catalogue, pipe, node), node.sql)

/** A SELECT of a user that names pipes, as one that names data sources alone. */
export const compileQuery = (catalogue: Catalogue, sql: string, reads: readonly string[]): string =>
  withExpressions(
    reads.flatMap(name => definitionOf(catalogue, name)),
    sql,
  )

const withExpressions = (definitions: readonly string[], sql: string): string =>
  definitions.length === 0 ? sql : `WITH ${[...new Set(definitions)].join(', ')} SELECT * FROM (\n${sql}\n)`

/** Of all that a node reads and its own nodes read, what is read first. */
const definitionsOf = (catalogue: Catalogue, pipe: Pipe, node: PipeNode): readonly string[] =>
  node.reads.flatMap(name => {
    const earlier = earlierNode(pipe, node, name)
    if (earlier === undefined) return definitionOf(catalogue, name)
    return [...definitionsOf(catalogue, pipe, earlier), define(name, earlier.sql)]
  })

/** Of a pipe; a data source needs none. */
const definitionOf = (catalogue: Catalogue, name: string): readonly string[] => {
  const pipe = findPipe(catalogue, name)
  return pipe === undefined ? [] : [define(name, compileNode(catalogue, pipe, pipe.nodes.at(-1)!))]
}

/** Names of nodes and pipes are plain: `nameFault`. */
const define = (name: string, sql: string): string => `\`${name}\` AS (\n${sql}\n)`
