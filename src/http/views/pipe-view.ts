import { toTimestamp } from '../../kernel/clock.ts'
import type { NodeRole, Pipe } from '../../model/pipe.ts'

/** The API's view of a pipe. */
export const viewPipe = (pipe: Pipe) => ({
  pipe_id: pipe.id,
  name: pipe.name,
  description: pipe.description,
  nodes: pipe.nodes.map(({ name, sql, role }) => ({ name, sql, ...viewRole(role) })),
  created_at: toTimestamp(pipe.createdAt),
  updated_at: toTimestamp(pipe.updatedAt),
})

const viewRole = (role: NodeRole) => {
  if (role.type === 'plain') return {}
  if (role.type === 'materialized') return { materialize_into: role.into }
  return { copy_into: role.into, mode: role.mode, ...(role.schedule !== null && { schedule: role.schedule }) }
}
