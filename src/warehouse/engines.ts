import type { Agent } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { ResultFiles } from './embedded/result-files.ts'
import { openSocketEngines } from './embedded/socket-engines.ts'
import { openServerEngines } from './server/server-engines.ts'

/** Where each workspace's engine is: this is all that differs between the embedded engine and a server. */
export interface Engines {
  /** The database of a workspace's tables. */
  database(workspace: string): string
  /** Ensures that the engine runs and the database exists. Call it for every statement. Throws `WarehouseError`. */
  endpoints(workspace: string): Promise<Endpoints>
  /** `Warehouse.life`. */
  life(workspace: string): number
  /** `Warehouse.importFolder`. */
  importFolder(workspace: string): string | null
  problem(): Promise<string | null>
  warning(): string | null
  close(): Promise<void>
}

export type Endpoints = {
  /** For the server's own statements. */
  readonly own: Endpoint
  /** For users' queries. If the engine knows users, this one can read only the workspace's database. */
  readonly users: Endpoint
  /** Whether an answer's row counts must be looked up in `system.query_log`, because no trailer reports them. */
  readonly hasQueryLog: boolean
  /** A faster path for results than the response body, when engine and server share a machine. */
  readonly resultFiles?: ResultFiles
}

export type Endpoint = {
  readonly url: string
  readonly username: string
  readonly password: string
  /** Shared by all clients of one engine, and destroyed with it. */
  readonly agent: Agent | SecureAgent
  /** Defaults for every statement. */
  readonly settings?: Readonly<Record<string, string>>
  /** The most bytes of one encoded parameter in a request; absent: no limit. */
  readonly longestParameter?: number
  /** The most bytes of all `{name:Type}` values together; absent: no limit here, the engine refuses too much. */
  readonly parameterBytes?: number
  /** Called when the engine is unreachable: what is cached about it may no longer hold. */
  readonly onAway?: () => void
}

/** Whether this server's embedded engines own the tables, when several servers each have their own engines. */
export type EngineGate = {
  /** Resolves if they do. Call it for every statement. Throws `WarehouseError` `engine_unavailable` that names the owner. */
  enter(): Promise<void>
  /** The same as a problem of this server; null: they do, or there is no owner yet. */
  problem(): Promise<string | null>
}

type Options = {
  readonly config: Pick<Config, 'clickhouseUrl' | 'engineMemoryBytes' | 'databaseUrl'>
  readonly dataDir: string
  /** For embedded engines; null or absent: no other server has any. */
  readonly gate?: EngineGate | null
  readonly logger: Logger
  readonly clock: Clock
}

/** Starts nothing and opens no connection yet. */
export const openEngines = ({ config, dataDir, gate = null, logger, clock }: Options): Engines => {
  const { clickhouseUrl, engineMemoryBytes: memoryBytes, databaseUrl } = config
  return clickhouseUrl === null
    ? openSocketEngines({ dataDir, memoryBytes, gate, isAmongMany: databaseUrl !== null, logger, clock })
    : openServerEngines({ url: clickhouseUrl, clock })
}
