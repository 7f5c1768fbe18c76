import type { NewNode } from '../../data/pipes/check-pipe.ts'
import type { NewPipe } from '../../data/pipes/pipes.ts'
import { type FieldError, refuseFields } from '../../kernel/errors.ts'
import type { WriteMode } from '../../model/data-source.ts'
import type { NodeRole } from '../../model/pipe.ts'
import type { ScheduleSpec } from '../../model/schedule/schedule-schema.ts'

type GivenNode = {
  readonly name: string
  readonly sql: string
  readonly materialize_into?: string
  readonly copy_into?: string
  readonly mode?: WriteMode
  readonly schedule?: ScheduleSpec
}

type GivenPipe = { readonly name: string; readonly description?: string | null; readonly nodes: readonly GivenNode[] }

/** Converts a body that matches its schema to a new pipe. Throws `invalid` for fields that exclude each other. */
export const readPipe = ({ name, description, nodes }: GivenPipe): NewPipe => {
  const faults = nodes.flatMap((node, index) =>
    roleFaults(node).map(({ path, message }) => ({ path: `nodes.${index}.${path}`, message })),
  )
  refuseFields(faults)
  return { name, description: description ?? null, nodes: nodes.map(readNode) }
}

const roleFaults = ({ materialize_into, copy_into, mode, schedule }: GivenNode): readonly FieldError[] => {
  if (materialize_into !== undefined && copy_into !== undefined)
    return [{ path: 'copy_into', message: 'cannot be combined with materialize_into' }]
  if (copy_into !== undefined) return []
  return Object.entries({ mode, schedule }).flatMap(([path, value]) =>
    value === undefined ? [] : [{ path, message: 'is only for a copy node, which has copy_into' }],
  )
}

const readNode = ({ name, sql, ...said }: GivenNode): NewNode => ({ name, sql, role: readRole(said) })

const readRole = ({ materialize_into, copy_into, mode, schedule }: Omit<GivenNode, 'name' | 'sql'>): NodeRole => {
  if (materialize_into !== undefined) return { type: 'materialized', into: materialize_into }
  if (copy_into === undefined) return { type: 'plain' }
  return { type: 'copy', into: copy_into, mode: mode ?? 'append', schedule: schedule ?? null }
}
