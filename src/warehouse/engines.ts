import type { Agent } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { ResultFiles } from './embedded/result-files.ts'
import { openSocketEngines } from './embedded/socket-engines.ts'
import { openServerEngines } from './server/server-engines.ts'

/** Where the engine of each workspace is: what differs between the embedded engine and a server. */
export interface Engines {
  /** The database of a workspace's tables. */
  database(workspace: string): string
  /** Makes sure that the engine runs and the database exists. Asked for every statement. Throws `WarehouseError`. */
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
  /** For statements of the server itself. */
  readonly own: Endpoint
  /** For queries of users: sees the workspace's database alone, where the engine knows users. */
  readonly users: Endpoint
  /** Whether the row counts of an answer must be looked up in `system.query_log`: no trailer tells them. */
  readonly hasQueryLog: boolean
  /** A quicker way for results than the body of the answer, where engine and server share a machine. */
  readonly resultFiles?: ResultFiles
}

export type Endpoint = {
  readonly url: string
  readonly username: string
  readonly password: string
  /** Shared by all clients of one engine; ended with it. */
  readonly agent: Agent | SecureAgent
  /** Sent with every statement that does not say otherwise. */
  readonly settings?: Readonly<Record<string, string>>
  /** Bytes of the longest parameter that a request may have, encoded; absent: any. */
  readonly longestParameter?: number
  /** Bytes of all values for `{name:Type}` together that are sent; absent: any, the engine says when it is too much. */
  readonly parameterBytes?: number
  /** Told when the engine is away: what was found out about it may no longer hold. */
  readonly onAway?: () => void
}

/** Whether this server's embedded engines have the tables that count, where each of several servers has engines of its own. */
export type EngineGate = {
  /** Resolves when they have. Asked for every statement. Throws `WarehouseError` `engine_unavailable` that says who has them. */
  enter(): Promise<void>
  /** The same as a problem of this server; null: they have, or nobody has yet. */
  problem(): Promise<string | null>
}

type Options = {
  readonly config: Pick<Config, 'clickhouseUrl' | 'engineMemoryBytes' | 'databaseUrl'>
  readonly dataDir: string
  /** Of embedded engines; null or absent: nobody else has any. */
  readonly gate?: EngineGate | null
  readonly logger: Logger
  readonly clock: Clock
}

/** Starts nothing and connects nowhere yet. */
export const openEngines = ({ config, dataDir, gate = null, logger, clock }: Options): Engines => {
  const { clickhouseUrl, engineMemoryBytes: memoryBytes, databaseUrl } = config
  return clickhouseUrl === null
    ? openSocketEngines({ dataDir, memoryBytes, gate, isAmongMany: databaseUrl !== null, logger, clock })
    : openServerEngines({ url: clickhouseUrl, clock })
}
