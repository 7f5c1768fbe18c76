import type { Catalogue } from '../../../model/catalogue.ts'
import { findDataSource } from '../../../model/catalogue-graph.ts'
import type { NodeRole, Pipe, PipeNode } from '../../../model/pipe.ts'
import { wordOfTime } from './words.ts'

/** A pipe. Its nodes have no ids, so their names, which are unique in the pipe, are used. */
export const viewPipe = (catalogue: Catalogue, pipe: Pipe) => ({
  id: pipe.id,
  name: pipe.name,
  description: pipe.description ?? '',
  type: TYPES[roleOf(pipe)],
  nodes: pipe.nodes.map(node => viewNode(catalogue, node)),
  created_at: wordOfTime(pipe.createdAt),
  updated_at: wordOfTime(pipe.updatedAt),
})

const viewNode = (catalogue: Catalogue, { name, sql, role, reads }: PipeNode) => {
  const into = role.type === 'plain' ? null : (findDataSource(catalogue, role.into)?.id ?? null)
  return {
    id: name,
    name,
    sql,
    node_type: role.type === 'plain' ? 'standard' : role.type,
    dependencies: reads,
    materialized: role.type === 'materialized' ? into : null,
    ...(role.type === 'copy' && { copy_target_datasource: into, mode: role.mode, scheduled: role.schedule !== null }),
    tags: {},
  }
}

/** Tinybird's name for a pipe with a node of that role. */
const TYPES = { plain: 'default', materialized: 'materialized', copy: 'copy' } as const satisfies Readonly<
  Record<NodeRole['type'], string>
>

const roleOf = ({ nodes }: Pipe): NodeRole['type'] =>
  nodes.find(({ role }) => role.type !== 'plain')?.role.type ?? 'plain'
