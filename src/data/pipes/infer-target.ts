import { MillraceError } from '../../kernel/errors.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import { findDataSource, readsOf } from '../../model/catalogue-graph.ts'
import type { Pipe, PipeNode } from '../../model/pipe.ts'
import type { DescribedColumn } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import type { NewDataSource } from '../tables/data-sources.ts'
import { describeNode } from './check-pipe.ts'
import type { NodePlace } from './compile-select.ts'

/** Nodes whose data source does not exist; if several fill the same one, only the first. */
export const missingTargets = (catalogue: Catalogue, pipe: Pipe): readonly PipeNode[] => {
  const missing = new Map<string, PipeNode>()
  for (const node of pipe.nodes)
    if (node.role.type !== 'plain' && findDataSource(catalogue, node.role.into) === undefined)
      if (!missing.has(node.role.into)) missing.set(node.role.into, node)
  return [...missing.values()]
}

/**
 * The data source for a node's output. Aggregate states get an AggregatingMergeTree sorted by their grouping columns. Not so if there are plain values of
 * aggregate functions beside them: merging would keep the value of only one row.
 */
export const inferTarget = async (data: Data, place: NodePlace): Promise<NewDataSource> => {
  const { pipe, node } = place
  const { role } = node
  if (role.type === 'plain') throw new MillraceError('internal', 'a plain node has no data source')
  const columns = await describeNode(data, place)
  const states = columns.filter(isState)
  const keys = columns.filter(column => !isState(column))
  const areMerged = states.length > 0 && !(await mixesStates(data, place))
  return {
    name: role.into,
    description: `Filled by the node ${node.name} of the pipe ${pipe.name}`,
    columns: columns.map(({ name, type }) => ({ name, type, jsonPath: null })),
    engine: areMerged ? 'AggregatingMergeTree' : 'MergeTree',
    sortingKey: states.length > 0 && keys.length > 0 ? keys.map(({ name }) => `\`${name}\``).join(', ') : null,
  }
}

/** Also looks at everything the node reads. */
const mixesStates = async ({ warehouse }: Data, { workspace, catalogue, pipe, node }: NodePlace): Promise<boolean> => {
  for (const { sql } of readsOf(catalogue, pipe, node).nodes)
    if ((await warehouse.inspectSelect({ workspace, sql })).mixesStates) return true
  return false
}

const isState = ({ type }: DescribedColumn): boolean => /^(Simple)?AggregateFunction\(/.test(type)
