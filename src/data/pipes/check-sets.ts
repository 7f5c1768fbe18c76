import { outerNames } from '../../model/bound-select.ts'
import { withNullParameters } from '../../warehouse/guard/query-parameters.ts'
import { isSqlError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { compileNode, type NodePlace } from './compile-select.ts'

/**
 * A name on the right side of IN that is both a table and a column (`'red' IN tags`); null: none. The engine would take the column, but the table once the
 * column is renamed. A stored query must be unambiguous.
 */
export const ambiguousSet = async (data: Data, place: NodePlace): Promise<string | null> => {
  const { workspace, pipe, node } = place
  const bound = await data.warehouse.bindSelect({ workspace, sql: node.sql })
  const { sql } = bound
  const sets = outerNames(bound).filter(({ is, name }) => is === 'set' && node.reads.includes(name))
  for (const { start, end, name } of sets) {
    // As a function argument it can only be a column.
    const asValue = { ...node, sql: `${sql.slice(0, start)}identity(${sql.slice(start, end)})${sql.slice(end)}` }
    const inPipe = { ...pipe, nodes: pipe.nodes.map(other => (other === node ? asValue : other)) }
    const compiled = await compileNode(data, { ...place, pipe: inPipe, node: asValue })
    const isColumn = await data.warehouse
      .describeSelect({ workspace, sql: withNullParameters(compiled) })
      .then(() => true, isNotUnknown(name))
    if (isColumn) return name
  }
  return null
}

const isNotUnknown =
  (name: string) =>
  (error: unknown): boolean => {
    if (!isSqlError(error)) throw error
    return !(error.message.startsWith('Unknown expression') && error.message.includes(`\`${name}\``))
  }
