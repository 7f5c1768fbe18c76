import { Agent, type AgentOptions } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import { openEmbeddedEngines } from './embedded/embedded-engines.ts'
import { makeImportFolder } from './embedded/engine-folder.ts'
import type { ResultFiles } from './embedded/result-files.ts'
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

/** An engine holds some 200 MB: one that nobody uses is worth ending, one used every few minutes worth keeping. */
const IDLE_MS = 15 * 60_000

/** Starts nothing and connects nowhere yet. */
export const openEngines = ({ config, dataDir, gate = null, logger, clock }: Options): Engines =>
  config.clickhouseUrl === null
    ? onSockets({
        dataDir,
        logger,
        clock,
        memoryBytes: config.engineMemoryBytes,
        gate,
        isAmongMany: config.databaseUrl !== null,
      })
    : openServerEngines({ url: config.clickhouseUrl, clock })

type SocketOptions = Omit<Options, 'config' | 'gate'> & {
  readonly gate: EngineGate | null
  readonly memoryBytes: number | null
  /** Other servers may share the store, and have engines of their own. */
  readonly isAmongMany: boolean
}

const ONE_MACHINE =
  'The tables of data jobs are on this machine alone: servers that share a PostgreSQL need MILLRACE_CLICKHOUSE_URL to share tables'

const onSockets = (options: SocketOptions): Engines => {
  const { isAmongMany, gate, ...rest } = options
  const engines = openEmbeddedEngines({ ...rest, idleMs: IDLE_MS })
  const endpoints = new Map<string, SocketEndpoint>()

  /** An engine that was started again may listen elsewhere. */
  const endpointOf = (workspace: string, socketPath: string): Endpoint => {
    const known = endpoints.get(workspace)
    if (known?.socketPath === socketPath) return known
    known?.agent.destroy()
    const endpoint = toEndpoint(socketPath)
    endpoints.set(workspace, endpoint)
    return endpoint
  }

  return {
    database: () => 'live',
    endpoints: async workspace => {
      await gate?.enter()
      const { socketPath, resultFiles } = await engines.address(workspace)
      const endpoint = endpointOf(workspace, socketPath)
      return { own: endpoint, users: endpoint, hasQueryLog: false, resultFiles }
    },
    life: workspace => engines.ends(workspace),
    importFolder: workspace => makeImportFolder({ dataDir: options.dataDir, workspace }),
    problem: async () => (await gate?.problem()) ?? engines.problem(),
    warning: () => engines.warning() ?? (isAmongMany ? `${ONE_MACHINE}.` : null),
    close: async () => {
      for (const { agent } of endpoints.values()) agent.destroy()
      await engines.close()
    },
  }
}

type SocketEndpoint = Endpoint & { readonly socketPath: string }

/** They travel with each of the five or so statements that a query comes to, and what is longer keeps the server busy for seconds. */
const PARAMETER_BYTES = 4 * 1024 * 1024

/** An engine serves whoever reaches its socket, which lies in a folder of mode 0700. */
const toEndpoint = (socketPath: string): SocketEndpoint => {
  // Node's agent takes every option of `net.connect`; its types do not know this one.
  const agent = new Agent({ keepAlive: true, socketPath } as AgentOptions)
  return {
    url: 'http://localhost',
    username: 'default',
    password: '',
    agent,
    parameterBytes: PARAMETER_BYTES,
    socketPath,
  }
}
