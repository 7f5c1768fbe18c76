import { type FieldError, refuseFields } from '../../kernel/errors.ts'
import type { Catalogue } from '../../model/catalogue.ts'
import {
  findDataSource,
  findFeedCycle,
  findNode,
  findPipe,
  findPipeCycle,
  sourceOf,
} from '../../model/catalogue-graph.ts'
import { nameFault } from '../../model/data-rules.ts'
import type { NodeRole, Pipe, PipeNode } from '../../model/pipe.ts'
import { withNullParameters, withTypedParameters } from '../../warehouse/guard/query-parameters.ts'
import { type DescribedColumn, isSqlError, nullOfSqlError } from '../../warehouse/warehouse.ts'
import type { Data } from '../data.ts'
import { JOBS_LOG_NAMES } from '../history/jobs-log-table.ts'
import { unknownFault } from '../write/match-columns.ts'
import { readersFault } from './check-readers.ts'
import { ambiguousSet } from './check-sets.ts'
import { compileNode, type NodePlace } from './compile-select.ts'
import { unattendedFault } from './unattended-fault.ts'

/** A node as given by a caller. */
export type NewNode = { readonly name: string; readonly sql: string; readonly role: NodeRole }

const MOST_NODES = 100

/** Adds to each node what its SQL reads from the catalogue. Throws `invalid` with the path of every node whose SQL is faulty. */
export const inspectNodes = async (
  { warehouse }: Data,
  workspace: string,
  before: Catalogue,
  { name, nodes }: { readonly name: string; readonly nodes: readonly NewNode[] },
): Promise<readonly PipeNode[]> => {
  refuseFields(nameFaults(before, name, nodes))
  const errors: FieldError[] = []
  const inspected: PipeNode[] = []
  for (const [index, node] of nodes.entries()) {
    const path = `nodes.${index}.sql`
    try {
      const { sql, tables, fromFirst } = await warehouse.inspectSelect({ workspace, sql: node.sql })
      const earlier = nodes.slice(0, index).map(other => other.name)
      const isKnown = (table: string): boolean =>
        earlier.includes(table) ||
        (table !== name && (findDataSource(before, table) ?? findPipe(before, table))?.name === table)
      const unknown = tables.filter(table => !isKnown(table))
      const missing = notBefore(nodes.slice(index), unknown) ?? targetOfOther(nodes, node, unknown)
      if (missing !== null) errors.push({ path, message: `the node ${node.name}: ${missing}` })
      inspected.push({
        ...node,
        sql,
        reads: tables.filter(isKnown),
        source: fromFirst.find(isKnown) ?? null,
      })
    } catch (error) {
      if (!isSqlError(error)) throw error
      const ofLog = JOBS_LOG_NAMES.find(log => error.message.includes(` ${log} `))
      const message = ofLog === undefined ? error.message : `${ofLog} is there for queries, and not for nodes of pipes`
      errors.push({ path, message: `the node ${node.name}: ${message}` })
    }
  }
  refuseFields(errors)
  return inspected
}

/** A node may read only nodes before it. */
const notBefore = ([reader, ...later]: readonly NewNode[], unknown: readonly string[]): string | null => {
  if (unknown.includes(reader!.name)) return 'it reads itself'
  const other = later.find(({ name }) => unknown.includes(name))
  return other === undefined ? null : `it reads ${other.name}, which comes after it: nodes read those before them`
}

/** The data source of another node is created from its output only after all nodes have passed. */
const targetOfOther = (nodes: readonly NewNode[], reader: NewNode, unknown: readonly string[]): string | null => {
  for (const { name, role } of nodes)
    if (name !== reader.name && role.type !== 'plain' && unknown.includes(role.into))
      return `${role.into} is made with the node ${name}, and cannot be read yet: make the data source first, or save the pipe with ${name} before the nodes that read it`
  return null
}

const nameFaults = (catalogue: Catalogue, name: string, nodes: readonly NewNode[]): readonly FieldError[] => {
  const faults: FieldError[] = []
  const add = (path: string, message: string | null): void => {
    if (message !== null) faults.push({ path, message })
  }
  add('name', nameFault(name))
  if (nodes.length === 0 || nodes.length > MOST_NODES) add('nodes', `must be 1 to ${MOST_NODES}`)
  const names = new Set<string>()
  const targets = new Set(nodes.flatMap(({ role }) => (role.type === 'plain' ? [] : [role.into])))
  for (const [index, node] of nodes.entries()) {
    const path = `nodes.${index}.name`
    add(path, nameFault(node.name))
    if (names.has(node.name)) add(path, `${node.name} is there twice`)
    if (targets.has(node.name) || findDataSource(catalogue, node.name)?.name === node.name)
      add(path, `${node.name} is a data source: call the node otherwise`)
    if (findPipe(catalogue, node.name) && node.name !== name)
      add(path, `${node.name} is a pipe: call the node otherwise`)
    names.add(node.name)
  }
  return faults
}

/** The checks that need the whole catalogue and the engine. `catalogue` contains the pipe. Throws `invalid`. */
export const checkPipe = async (
  data: Data,
  workspace: string,
  catalogue: Catalogue,
  pipe: Pipe,
  { missingTargetsAreFine = false } = {},
): Promise<void> => {
  refuseFields(cycleFaults(catalogue, pipe))
  const errors: FieldError[] = []
  for (const [index, node] of pipe.nodes.entries()) {
    const message = await nodeFault(data, { workspace, catalogue, pipe, node }, { missingTargetsAreFine })
    if (message !== null) errors.push({ path: `nodes.${index}.sql`, message: `the node ${node.name}: ${message}` })
  }
  refuseFields(errors)
  const message = await readersFault(data, workspace, catalogue, pipe)
  if (message !== null) refuseFields([{ path: `nodes.${pipe.nodes.length - 1}.sql`, message }])
}

const cycleFaults = (catalogue: Catalogue, pipe: Pipe): readonly FieldError[] => {
  const pipes = findPipeCycle(catalogue, pipe)
  if (pipes !== null) return [{ path: 'nodes', message: `pipes read each other in a ring: ${pipes.join(' > ')}` }]
  const feeds = findFeedCycle(catalogue)
  if (feeds === null) return []
  const index = pipe.nodes.findIndex(({ role }) => role.type === 'materialized' && feeds.includes(role.into))
  const name = pipe.nodes[index]?.name ?? pipe.name
  return [
    {
      path: `nodes.${Math.max(0, index)}.materialize_into`,
      message: `the node ${name} closes a ring: ${feeds.join(' > ')}`,
    },
  ]
}

const nodeFault = async (
  data: Data,
  place: NodePlace,
  { missingTargetsAreFine }: { readonly missingTargetsAreFine: boolean },
): Promise<string | null> => {
  const { catalogue, pipe, node } = place
  if (node.role.type === 'materialized' && sourceOf(catalogue, pipe, node) === null)
    return 'a materialized node must read a data source: it is fed what is appended to the first in its FROM'
  try {
    const columns = await describeNode(data, place)
    const set = await ambiguousSet(data, place)
    if (set !== null) return `${set} is a table and a column here: write IN (SELECT * FROM ${set}), or has(${set}, …)`
    const unattended = await unattendedFault(data, place)
    if (unattended !== null || node.role.type === 'plain') return unattended
    const target = findDataSource(catalogue, node.role.into)
    if (target === undefined)
      return missingTargetsAreFine ? null : `there is no data source ${node.role.into} to put its rows into`
    return unknownFault(
      target,
      columns.map(({ name }) => name),
    )
  } catch (error) {
    if (isSqlError(error)) return error.message
    throw error
  }
}

/** The columns of a node's result, according to the engine. Throws `WarehouseError`: `sql_error` for a table that does not exist. */
export const describeNode = async (data: Data, place: NodePlace): Promise<readonly DescribedColumn[]> => {
  const sql = await compileNode(data, place)
  const describe = (text: string) => data.warehouse.describeSelect({ workspace: place.workspace, sql: text })
  const untyped = withNullParameters(sql)
  // Not every clause accepts every value: use the first variant that the engine understands.
  for (const typed of untyped === sql ? [] : withTypedParameters(sql)) {
    const columns = await describe(typed).catch(nullOfSqlError)
    if (columns !== null) return columns
  }
  return describe(untyped)
}

/** The named node, which must have that role, or the pipe's first node with it. Returns a message if there is none. */
export const findRole = <T extends NodeRole['type']>(
  catalogue: Catalogue,
  type: T,
  names: { readonly pipe: string; readonly node?: string },
): { readonly pipe: Pipe; readonly node: PipeNode; readonly role: Extract<NodeRole, { type: T }> } | string => {
  const pipe = findPipe(catalogue, names.pipe)
  if (pipe === undefined) return `There is no pipe ${names.pipe}.`
  const node = names.node === undefined ? pipe.nodes.find(({ role }) => role.type === type) : findNode(pipe, names.node)
  if (node === undefined)
    return names.node === undefined
      ? `The pipe ${pipe.name} has no ${type} node.`
      : `The pipe ${pipe.name} has no node ${names.node}.`
  if (node.role.type !== type) return `The node ${node.name} of ${pipe.name} is not a ${type} node.`
  return { pipe, node, role: node.role as Extract<NodeRole, { type: T }> }
}
