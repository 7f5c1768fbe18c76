import { call, send } from './request.ts'
import type { ServerAddress } from './server-address.ts'

/** A data source in the API's answers. */
export type DataSourceAnswer = {
  readonly datasource_id: string
  readonly name: string
  readonly description: string | null
  readonly schema: readonly {
    readonly name: string
    readonly type: string
    readonly json_path: string | null
    readonly default?: string
  }[]
  readonly engine: string
  readonly sorting_key: string | null
  readonly partition_key: string | null
  readonly ttl: string | null
  readonly format: string | null
  /** This and the two fields below are null if no data engine is available. */
  readonly row_count: number | null
  readonly bytes: number | null
  readonly quarantine_rows: number | null
  readonly used_by: readonly string[]
  readonly created_at: string
  readonly updated_at: string
}

/** The path of a data source, by name or id, or of a resource below it. */
export const dataSourcePath = (name: string, rest = ''): string => `/v1/datasources/${encodeURIComponent(name)}${rest}`

/** A data source by name or id. */
export const getDataSource = (server: ServerAddress, name: string): Promise<DataSourceAnswer> =>
  call<DataSourceAnswer>(server, { path: dataSourcePath(name) })

/** Creates a data source from a body of the API. */
export const createDataSource = (server: ServerAddress, definition: unknown): Promise<DataSourceAnswer> =>
  call<DataSourceAnswer>(server, { method: 'POST', path: '/v1/datasources', json: definition })

/** Changes what a body of the API names: adds columns, changes TTL and description. */
export const changeDataSource = (server: ServerAddress, name: string, change: unknown): Promise<DataSourceAnswer> =>
  call<DataSourceAnswer>(server, { method: 'PUT', path: dataSourcePath(name), json: change })

/** Removes all its rows. */
export const truncateDataSource = async (server: ServerAddress, name: string): Promise<void> => {
  await send(server, { method: 'POST', path: dataSourcePath(name, '/truncate') })
}

/** Removes quarantined rows: all, or those of one import. */
export const clearQuarantine = async (server: ServerAddress, name: string, importId?: string): Promise<void> => {
  const query = importId === undefined ? {} : { import_id: importId }
  await send(server, { method: 'DELETE', path: dataSourcePath(name, '/quarantine'), query })
}

/** Refused while a pipe uses it or a job writes to it. */
export const deleteDataSource = async (server: ServerAddress, name: string): Promise<void> => {
  await send(server, { method: 'DELETE', path: dataSourcePath(name) })
}
