import type { Data } from '../data/data.ts'
import type { Uploads } from '../data/uploads.ts'
import { DEFINITIONS } from '../executors/definitions.ts'
import type { Executor } from '../executors/executor.ts'
import type { KindDefinition } from '../executors/kind-definition.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

/** The kinds of jobs that this installation accepts. */
export const openDefinitions = async (config: Config, clock: Clock): Promise<readonly KindDefinition[]> => [
  ...DEFINITIONS,
  ...(await functionDefinitions(config, clock)),
]

const functionDefinitions = async ({ functionsDir }: Config, clock: Clock): Promise<readonly KindDefinition[]> => {
  if (functionsDir === null) return []
  const { createApiDefinition } = await import('../executors/api/definition.ts')
  return [createApiDefinition({ functionsDir, clock })]
}

type Opening = {
  readonly config: Config
  /** Marks processes started by this installation, across restarts. */
  readonly instanceId: string
  readonly logger: Logger
  readonly clock: Clock
  readonly warehouse: Warehouse
  readonly data: Data
  readonly uploads: Uploads
}

/** The kinds that this process runs, not started yet. A new kind needs a line here, and one in `executors/definitions.ts`. */
export const openExecutors = async (opening: Opening): Promise<readonly Executor[]> => [
  await openCommands(opening),
  await openHttp(opening),
  ...(await openDataKinds(opening)),
  ...(await openFunctions(opening)),
]

const openCommands = async ({ config, instanceId, logger, clock }: Opening): Promise<Executor> => {
  const { createCommandExecutor } = await import('../executors/command/command-executor.ts')
  return createCommandExecutor({
    dataDir: config.dataDir,
    jobUser: config.jobUser,
    sandbox: config.sandbox,
    privateDirs: config.blobPlace?.type === 'directory' ? [config.blobPlace.path] : [],
    launcher: config.launcher,
    maxProcesses: config.commandMaxProcesses,
    instanceId,
    logger,
    clock,
  })
}

const openHttp = async ({ config }: Opening): Promise<Executor> => {
  const { createHttpExecutor } = await import('../executors/http/http-executor.ts')
  return createHttpExecutor({ addressRules: config.addressRules })
}

const openDataKinds = async ({ config, data, uploads }: Opening): Promise<readonly Executor[]> => {
  const { createQueryExecutor } = await import('../executors/query/query-executor.ts')
  const { createImportExecutor } = await import('../executors/import/import-executor.ts')
  const { createPopulateExecutor } = await import('../executors/populate/populate-executor.ts')
  const { createCopyExecutor } = await import('../executors/copy/copy-executor.ts')
  const { createDeleteExecutor } = await import('../executors/delete/delete-executor.ts')
  const { queryMemoryBytes: memoryBytes, queryThreads: threads, queryRows: resultRows, maxResultBytes } = config
  const limits = { memoryBytes, threads, resultRows }
  return [
    createQueryExecutor({ data, limits, maxResultBytes }),
    createImportExecutor({ ...config, data, uploads }),
    createPopulateExecutor({ data }),
    createCopyExecutor({ data, limits }),
    createDeleteExecutor({ data }),
  ]
}

const openFunctions = async ({ config, logger, clock, ...opening }: Opening): Promise<readonly Executor[]> => {
  const { functionsDir, dataDir } = config
  if (functionsDir === null) return []
  // At start, a launcher kills processes with its mark, which must not hit commands.
  const instanceId = `${opening.instanceId}-functions`
  const { createApiExecutor } = await import('../executors/api/api-executor.ts')
  const { openFunctionLauncher } = await import('./function-launcher.ts')
  const openLauncher = () => openFunctionLauncher({ config, instanceId, logger })
  return [
    createApiExecutor({ functionsDir, dataDir, hosts: config.functionHosts, instanceId, openLauncher, logger, clock }),
  ]
}
