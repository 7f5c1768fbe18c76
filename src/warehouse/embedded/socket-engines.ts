import { Agent, type AgentOptions } from 'node:http'
import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Endpoint, EngineGate, Engines } from '../engines.ts'
import { openEmbeddedEngines } from './embedded-engines.ts'
import { makeImportFolder } from './engine-folder.ts'

type Options = {
  readonly dataDir: string
  readonly memoryBytes: number | null
  /** null: no other server has engines. */
  readonly gate: EngineGate | null
  /** Other servers may share the store and have engines of their own. */
  readonly isAmongMany: boolean
  readonly logger: Logger
  readonly clock: Clock
}

/** An engine holds about 200 MB. Stopping it pays if nobody uses it; keeping it pays if it is used every few minutes. */
const IDLE_MS = 15 * 60_000

const ONE_MACHINE =
  'The tables of data jobs are on this machine alone: servers that share a PostgreSQL need MILLRACE_CLICKHOUSE_URL to share tables'

/** This server's embedded engines, each reached through its socket. */
export const openSocketEngines = ({ isAmongMany, gate, ...options }: Options): Engines => {
  const engines = openEmbeddedEngines({ ...options, idleMs: IDLE_MS })
  const endpoints = new Map<string, SocketEndpoint>()

  /** A restarted engine may listen at another path. */
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

/** Parameters are sent with each of the five or so statements that a query needs; longer ones would keep the server busy for seconds. */
const PARAMETER_BYTES = 4 * 1024 * 1024

/** No password: an engine serves any process that can reach its socket, which is in a folder of mode 0700. */
const toEndpoint = (socketPath: string): SocketEndpoint => ({
  url: 'http://localhost',
  username: 'default',
  password: '',
  // Node's agent accepts every option of `net.connect`, but its types lack this one.
  agent: new Agent({ keepAlive: true, socketPath } as AgentOptions),
  parameterBytes: PARAMETER_BYTES,
  socketPath,
})
