import { type BoundSelect, outerNames } from '../../model/bound-select.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { readsOf } from '../../model/catalogue-graph.ts'
import { countReads, type Definition, flattenSelect, isolatedName } from '../../model/flatten-select.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import { createDefinitions } from '../../model/pipe-definitions.ts'
import { WarehouseError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'

/** A node of a pipe, and the catalogue that says what it reads. */
export type NodePlace = {
  readonly workspace: string
  readonly catalogue: Catalogue
  readonly pipe: Pipe
  readonly node: PipeNode
}

/** The most table reads in one statement. Definitions are inlined wherever they are read: 20 nodes that each read the previous one twice make a million. */
const MOST_READS = 256

/**
 * Compiles a node to one SELECT over data sources only; their names resolve in the database in which it runs. The guard has not approved it yet. Throws
 * `WarehouseError('sql_error')` if it reads too much.
 */
export const compileNode = async (data: Data, place: NodePlace): Promise<string> =>
  compile(await defineNode(data, place))

/** A node with the meanings of the names in it. */
export const defineNode = async (data: Data, { pipe, node, ...place }: NodePlace): Promise<Definition> => {
  const { ofNode } = await definitionsFor(data, { ...place, roots: [{ pipe, node }] })
  return ofNode(pipe, node)
}

type Query = Pick<NodePlace, 'workspace' | 'catalogue'> & {
  readonly select: BoundSelect
  /** The meanings of names other than pipes. */
  readonly others: ReadonlyMap<string, Definition>
}

/** Compiles a user's SELECT that names pipes, or one of `others`, in the same way. */
export const compileQuery = async (data: Data, { workspace, catalogue, select, others }: Query): Promise<string> => {
  const names = new Set(outerNames(select).map(({ name }) => name))
  const roots = catalogue.pipes.flatMap(pipe => (names.has(pipe.name) ? [{ pipe, node: pipe.nodes.at(-1)! }] : []))
  const { ofPipe } = await definitionsFor(data, { workspace, catalogue, roots })
  return compile({ name: 'query', select, meaning: name => others.get(name) ?? ofPipe(name) })
}

type Roots = Pick<NodePlace, 'workspace' | 'catalogue'> & {
  readonly roots: readonly Pick<NodePlace, 'pipe' | 'node'>[]
}

const definitionsFor = async ({ warehouse }: Data, { workspace, catalogue, roots }: Roots) => {
  const nodes = new Set(roots.flatMap(({ pipe, node }) => [...readsOf(catalogue, pipe, node).nodes]))
  const bound = new Map<PipeNode, BoundSelect>()
  for (const node of nodes) bound.set(node, await warehouse.bindSelect({ workspace, sql: node.sql }))
  return createDefinitions(catalogue, node => bound.get(node)!)
}

const compile = (definition: Definition): string => {
  const isolated = isolatedName(definition)
  if (isolated !== null)
    throw new WarehouseError('sql_error', `${isolated} cannot be read in view(…), which sees data sources alone.`)
  if (countReads(definition, MOST_READS) > MOST_READS)
    throw new WarehouseError(
      'sql_error',
      `It reads tables more than ${MOST_READS} times, counted through all nodes and expressions that it reads, each as often as it is read. Materialize a node that is read often, and read its data source instead.`,
    )
  return flattenSelect(definition)
}
