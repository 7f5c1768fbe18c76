import { CliFailure } from '../failure.ts'
import { call, send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** A pipe in the API's answers. */
export type PipeAnswer = {
  readonly pipe_id: string
  readonly name: string
  readonly description: string | null
  readonly nodes: readonly NodeAnswer[]
  readonly created_at: string
  readonly updated_at: string
}

/** A node of a pipe. `materialize_into` and `copy_into` name the data source that it writes to. */
export type NodeAnswer = {
  readonly name: string
  readonly sql: string
  readonly materialize_into?: string
  readonly copy_into?: string
  readonly mode?: string
  readonly schedule?: Readonly<Record<string, unknown>>
}

const pipePath = (name: string): string => `/v1/pipes/${encodeURIComponent(name)}`

/** A pipe by name or id. */
export const getPipe = (server: ServerAddress, name: string): Promise<PipeAnswer> =>
  call<PipeAnswer>(server, { path: pipePath(name) })

/** Creates a pipe, or replaces the one with that name. */
export const putPipe = async (
  server: ServerAddress,
  { name, definition }: { readonly name: string; readonly definition: unknown },
): Promise<'created' | 'replaced'> => {
  try {
    await send(server, { method: 'PUT', path: pipePath(name), json: definition })
    return 'replaced'
  } catch (error) {
    if (!(error instanceof CliFailure && error.code === 'not_found')) throw error
    await send(server, { method: 'POST', path: '/v1/pipes', json: definition })
    return 'created'
  }
}

/** Refused while another pipe reads it. */
export const deletePipe = async (server: ServerAddress, name: string): Promise<void> => {
  await send(server, { method: 'DELETE', path: pipePath(name) })
}
