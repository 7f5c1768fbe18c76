import { findRole } from '../data/pipes/check-pipe.ts'
import type { FieldError } from '../kernel/errors.ts'
import type { Catalogue } from '../model/catalogue.ts'
import { findPipe } from '../model/catalogue-graph.ts'

type Job = {
  /** The field that names the node. */
  readonly field: 'populate' | 'copy'
  readonly names: { readonly pipe: string; readonly node?: string }
}

/** Faults of the node that a job would run, in the workspace's current state. */
export const nodeFaults = (catalogue: Catalogue, { field, names }: Job): readonly FieldError[] => {
  const type = field === 'copy' ? 'copy' : 'materialized'
  if (typeof findRole(catalogue, type, names) !== 'string') return []
  const pipe = findPipe(catalogue, names.pipe)
  if (pipe === undefined) {
    const fitting = catalogue.pipes.filter(({ nodes }) => nodes.some(({ role }) => role.type === type))
    const others = listed(fitting.map(({ name }) => name))
    return [{ path: `${field}.pipe`, message: `there is no pipe ${names.pipe}; pipes with a ${type} node: ${others}` }]
  }
  if (names.node === undefined) return [{ path: `${field}.pipe`, message: `${pipe.name} has no ${type} node` }]
  const nodes = listed(pipe.nodes.filter(({ role }) => role.type === type).map(({ name }) => name))
  return [{ path: `${field}.node`, message: `must be a ${type} node of ${pipe.name}: ${nodes}` }]
}

const MOST_NAMES = 10

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : `${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ', …' : ''}`
