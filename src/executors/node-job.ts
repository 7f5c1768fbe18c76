import { findRole } from '../data/pipes/check-pipe.ts'
import type { FieldError } from '../kernel/errors.ts'
import type { Catalogue } from '../model/catalogue.ts'
import { findPipe } from '../model/catalogue-graph.ts'
import type { KindDefinition, Subjects } from './kind-definition.ts'

type NodeKind = 'populate' | 'copy'
type Names = { readonly pipe: string; readonly node?: string }

/** The role of the nodes that a kind runs. */
const ROLES = { populate: 'materialized', copy: 'copy' } as const

/**
 * What kinds have in common whose jobs run a node. Only the pipe says where the rows go: jobs of one pipe wait for each other before they take a slot, and for
 * other writers once they run.
 */
export const nodeJob = (kind: NodeKind) => {
  const namesIn = (body: Readonly<Record<string, unknown>>): Names => body[kind] as Names
  return {
    kind,
    merges: { environment: false, parameters: false },
    secretMaps: [],
    timeout: { defaultMs: null, maximumMs: null },
    exclusiveKey: body => `${kind}:${namesIn(body).pipe}`,
    subjects: body => ({ dataSource: null, pipe: namesIn(body).pipe }),
    subjectsIn: (body, catalogue) => subjectsIn(catalogue, kind, namesIn(body)),
    // A scheduled job may name a pipe that does not exist yet.
    checkIn: async (body, readCatalogue) =>
      'scheduled_at' in body ? [] : faultsIn(await readCatalogue(), kind, namesIn(body)),
  } as const satisfies Omit<KindDefinition, 'properties'>
}

/** The data source is null if the node does not exist. */
const subjectsIn = (catalogue: Catalogue, kind: NodeKind, names: Names): Subjects => {
  const found = findRole(catalogue, ROLES[kind], names)
  return typeof found === 'string'
    ? { dataSource: null, pipe: findPipe(catalogue, names.pipe)?.name ?? names.pipe }
    : { dataSource: found.role.into, pipe: found.pipe.name }
}

/** Faults of the node in the workspace's current state. */
const faultsIn = (catalogue: Catalogue, kind: NodeKind, names: Names): readonly FieldError[] => {
  const type = ROLES[kind]
  if (typeof findRole(catalogue, type, names) !== 'string') return []
  const pipe = findPipe(catalogue, names.pipe)
  if (pipe === undefined) {
    const fitting = catalogue.pipes.filter(({ nodes }) => nodes.some(({ role }) => role.type === type))
    const others = listed(fitting.map(({ name }) => name))
    return [{ path: `${kind}.pipe`, message: `there is no pipe ${names.pipe}; pipes with a ${type} node: ${others}` }]
  }
  if (names.node === undefined) return [{ path: `${kind}.pipe`, message: `${pipe.name} has no ${type} node` }]
  const nodes = listed(pipe.nodes.filter(({ role }) => role.type === type).map(({ name }) => name))
  return [{ path: `${kind}.node`, message: `must be a ${type} node of ${pipe.name}: ${nodes}` }]
}

const MOST_NAMES = 10

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : `${names.slice(0, MOST_NAMES).join(', ')}${names.length > MOST_NAMES ? ', …' : ''}`
