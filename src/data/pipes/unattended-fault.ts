import { readsOf, sourceOf } from '../../model/catalogue-graph.ts'
import type { Definition } from '../../model/flatten-select.ts'
import { findQueryParameters } from '../../warehouse/guard/query-parameters.ts'
import type { Data } from '../data.ts'
import { defineNode, type NodePlace } from './compile-select.ts'

/**
 * Why a node cannot or should not run unattended, on an append or by a schedule; null: it can. Whether it reads a data source is checked elsewhere. Throws
 * `WarehouseError`.
 */
export const unattendedFault = async (data: Data, place: NodePlace): Promise<string | null> => {
  const { catalogue, pipe, node } = place
  const { role } = node
  if (role.type === 'plain' || (role.type === 'copy' && role.schedule === null)) return null
  const parameter = parameterFault(place)
  if (parameter !== null || role.type === 'copy') return parameter
  const source = sourceOf(catalogue, pipe, node)
  return source === null ? null : setFault(await defineNode(data, place), source)
}

const parameterFault = ({ catalogue, pipe, node }: NodePlace): string | null => {
  for (const read of readsOf(catalogue, pipe, node).nodes) {
    const [parameter] = findQueryParameters(read.sql)
    if (parameter === undefined) continue
    const where = read === node ? '' : `, of the node ${read.name} that it reads,`
    const why =
      node.role.type === 'copy'
        ? 'a schedule gives no values: take one of them away'
        : 'rows that are appended bring no values with them'
    return `it cannot have the parameter ${parameter.name}${where} since ${why}`
  }
  return null
}

/** In a union, every append to the source of one SELECT would add the rows of the others again. */
const setFault = (definition: Definition, source: string): string | null => {
  const origins = originsOf(definition)
  const other = [...origins].find(origin => origin !== source)
  if (origins.size < 2 || other === undefined) return null
  return (
    `it is put together of several SELECTs (UNION, INTERSECT, EXCEPT), of which one begins with ${other ?? 'no data source'}: what that ` +
    `gives would come again with each append to ${source}, which feeds the node. Let each be a node of its own into the same data source, or ` +
    'use IN, NOT IN or a JOIN'
  )
}

type Origins = ReadonlySet<string | null>

/** The first table of each SELECT in the union, resolved through nodes and pipes; null: one of them reads no data source first. */
const originsOf = (root: Definition): Origins => {
  const known = new Map<Definition, Origins>()
  const find = (definition: Definition): Origins => {
    const { select, meaning } = definition
    const origins =
      known.get(definition) ??
      new Set(
        select.origins.flatMap(name => {
          const other = name === null ? null : meaning(name)
          return other === null || other === 'table' ? [other && name] : [...find(other)]
        }),
      )
    known.set(definition, origins)
    return origins
  }
  return find(root)
}
