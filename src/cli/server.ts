import { once } from 'node:events'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { BlobStore } from '../blobs/blob-store.ts'
import { openFileBlobStore } from '../blobs/file/file-blob-store.ts'
import { toFolderFault } from '../blobs/file/folder-fault.ts'
import { ownedFolder } from '../blobs/file/owned-folder.ts'
import { ownedBlobs } from '../blobs/owned-blobs.ts'
import { createData } from '../data/data.ts'
import { createTablesHome, type TablesHome } from '../data/tables-home.ts'
import { createUploads } from '../data/uploads.ts'
import { createEngine } from '../engine/create-engine.ts'
import type { Engine, PartHealth } from '../engine/engine.ts'
import type { Executor } from '../executors/executor.ts'
import type { KindDefinition } from '../executors/kind-definition.ts'
import { type App, createApp } from '../http/app.ts'
import { ensureAdminToken } from '../http/auth/tokens.ts'
import { createMetrics } from '../http/figures/metrics.ts'
import { listenersOf } from '../http/listeners.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { ConfigError, publicUrlOf } from '../kernel/config.ts'
import { type DataDir, openDataDir } from '../kernel/data-dir.ts'
import { newId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import { makeDirectory } from '../kernel/make-directory.ts'
import type { Config } from '../kernel/settings.ts'
import { readVersion } from '../kernel/version.ts'
import { createJobLogs } from '../logs/create-job-logs.ts'
import { openSecretBox } from '../store/secrets.ts'
import type { Store } from '../store/store.ts'
import { openWarehouse } from '../warehouse/open-warehouse.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { openDefinitions, openExecutors } from './kinds.ts'

/** Options beyond the configuration, for tests and benchmarks to replace parts of the product. */
export type ServerOptions = {
  readonly clock?: Clock
  readonly definitions?: readonly KindDefinition[]
  /** Instead of the product's executors. */
  readonly executors?: readonly Executor[]
}

/** A server that accepts requests. */
export type RunningServer = {
  readonly url: string
  readonly adminToken: { readonly path: string; readonly isNew: boolean }
  /** Problems that impair this server or keep it from accepting jobs. */
  readonly problems: readonly PartHealth[]
  readonly engine: Engine
  readonly store: Store
  readonly warehouse: Warehouse
  /** Lets running jobs finish first. Idempotent. */
  stop(): Promise<void>
}

const CLOSE_WITHIN_MS = 5_000

/** Assembles the whole server and starts it. Resolves when it accepts requests. */
export const startServer = async (
  given: Config,
  logger: Logger,
  options: ServerOptions = {},
): Promise<RunningServer> => {
  refuseUnavailableMode(given)
  const dataDir = openDataDir(given.dataDir)
  const undo: (() => unknown)[] = [() => dataDir.unlock()]
  const stopAll = async (): Promise<void> => {
    for (const step of undo.toReversed()) await step()
    undo.length = 0
  }
  try {
    return await assemble({ config: await withPort(given), logger, dataDir, options, undo, stopAll })
  } catch (error) {
    await stopAll()
    throw error
  }
}

type Assembly = {
  readonly config: Config
  readonly logger: Logger
  readonly dataDir: DataDir
  readonly options: ServerOptions
  /** How to stop what has been started, in order of starting. */
  readonly undo: (() => unknown)[]
  readonly stopAll: () => Promise<void>
}

const assemble = async ({ config, logger, dataDir, options, undo, stopAll }: Assembly): Promise<RunningServer> => {
  const clock = options.clock ?? systemClock
  const opened = await openStore(config, clock)
  undo.push(() => opened.close())
  const metrics = createMetrics()
  const store = metrics.instrument(opened)
  const blobs = await openBlobStore({ config, dataDir, store, undo })
  const secrets = openSecretBox({ dataDir: config.dataDir, secretKey: config.secretKey })
  const parts = { config, clock, logger, store, blobs }
  const shareTails = config.databaseUrl !== null
  const logs = createJobLogs({ ...parts, dataDir: config.dataDir, maxBytes: config.logMaxBytes, shareTails })
  const home = openHome({ config, store, logger, clock, workerId: () => engine.workerId })
  const warehouse = openWarehouse({ config, dataDir: config.dataDir, gate: home, logger, clock })
  undo.push(() => warehouse.close())
  const data = createData({
    store,
    warehouse,
    home,
    logger,
    quarantineKeptMs: config.retentionQuarantineMs,
    jobsLogKeptMs: config.retentionJobsLogMs,
  })
  const uploads = createUploads({ blobs, key: secrets.deriveKey('uploads') })
  const executors = config.roles.includes('worker')
    ? (options.executors ??
      (await openExecutors({ config, instanceId: instanceId(dataDir), logger, clock, warehouse, data, uploads })))
    : []
  const engine: Engine = createEngine({
    ...parts,
    logs,
    secrets,
    executors,
    definitions: options.definitions ?? (await openDefinitions(config, clock)),
    url: () => config.publicUrl,
    rememberJobs: () => data.jobsLog.syncAll(),
    formerWorkers: formerWorkers(dataDir),
  })
  dataDir.write('worker-id', engine.workerId)
  if (config.takeOverTables) await home?.takeOver()
  const stopping = new AbortController()
  let app: App | null = null
  undo.push(async () => {
    stopping.abort()
    // The API stays available until running jobs have ended, but accepts no other changes.
    await engine.stop()
    if (app !== null) await closeApp(app)
  })
  const adminToken = await ensureAdminToken({ store, config })
  if (config.roles.includes('api')) {
    const services = { ...parts, logs, engine, warehouse, data, uploads, metrics, version: readVersion() }
    app = await createApp({ ...services, stopping: stopping.signal })
    await app.listen({ host: config.host, port: config.port })
  }
  await engine.start()
  // For the command line on this machine: the public URL may lead through a proxy, and be another machine's.
  dataDir.write('server.json', JSON.stringify({ url: publicUrlOf(config.host, config.port), pid: process.pid }))
  return { url: config.publicUrl, adminToken, problems: await engine.health(), engine, store, warehouse, stop: stopAll }
}

/** Opens the configured store. */
export const openStore = async (config: Config, clock: Clock): Promise<Store> => {
  if (config.databaseUrl === null) {
    const { openSqliteStore } = await import('../store/sqlite/sqlite-store.ts')
    return openSqliteStore({ path: join(config.dataDir, 'millrace.db'), clock })
  }
  const { openPostgresStore } = await import('../store/postgres/postgres-store.ts')
  return openPostgresStore({ url: config.databaseUrl, processName: `millrace ${config.roles.join(',')}` })
}

/** Keeps the tables of a shared store in one place; null: there is only one data engine. */
const openHome = ({ config, ...parts }: HomeParts): TablesHome | null => {
  if (config.databaseUrl === null || config.clickhouseUrl !== null) return null
  return createTablesHome({
    ...parts,
    dataDir: config.dataDir,
    name: `${hostname()} (${config.publicUrl})`,
    isWorker: config.roles.includes('worker'),
  })
}

type HomeParts = {
  readonly config: Config
  readonly store: Store
  readonly logger: Logger
  readonly clock: Clock
  /** Called when needed: the engine is created later. */
  readonly workerId: () => string
}

/** A folder that belongs to another store is reported as unhealthy, and retried: the right one may be mounted later. */
const openBlobStore = async ({
  config: { blobPlace },
  dataDir,
  store,
  undo,
}: Pick<Assembly, 'config' | 'dataDir' | 'undo'> & { readonly store: Store }): Promise<BlobStore> => {
  if (blobPlace?.type !== 's3') {
    const directory = blobPlace?.path ?? join(dataDir.path, 'blobs')
    // Created now, because commands are kept out of it by its real path. Its content is created once it is known to be the right folder.
    makeBlobFolder(directory)
    const open = () => openBlobFolder(directory, dataDir)
    return ownedBlobs({ place: ownedFolder(directory), settings: store, open })
  }
  const { openS3BlobStore } = await import('../blobs/s3/s3-blob-store.ts')
  const opened = await openS3BlobStore({ ...blobPlace, credentials: null })
  undo.push(() => opened.close())
  return ownedBlobs({ place: opened.place, settings: store, open: async () => opened })
}

/** Throws `storage_unavailable`. */
const makeBlobFolder = (directory: string): void => {
  try {
    makeDirectory(directory)
  } catch (error) {
    throw toFolderFault(error, directory)
  }
}

/** Removes what the previous server of this data directory left unfinished, even from a shared folder: the lock proves that it is gone. */
const openBlobFolder = async (directory: string, dataDir: DataDir): Promise<BlobStore> => {
  const writer = newId()
  const blobs = await openFileBlobStore({ directory, writer, formerWriter: dataDir.read('blob-writer') })
  dataDir.write('blob-writer', writer)
  return blobs
}

/** A user who requested containers relies on their isolation: commands must not run as local processes instead. */
const refuseUnavailableMode = ({ workerMode }: Config): void => {
  if (workerMode === 'auto' || workerMode === 'local') return
  throw new ConfigError(
    `ZWORKER_MODE=${workerMode}: this version runs commands as local processes only; use auto or local.`,
  )
}

/** Pending requests may finish, but a client that neither reads nor sends must not keep the server from stopping. */
const closeApp = async (app: App): Promise<void> => {
  const listeners = listenersOf(app).filter(({ listening }) => listening)
  const closed = listeners.map(server => once(server, 'close'))
  const timer = setTimeout(() => {
    for (const server of listeners) server.closeAllConnections()
  }, CLOSE_WITHIN_MS)
  await app.close()
  await Promise.all(closed)
  clearTimeout(timer)
}

/** Marks processes started by this installation, across restarts. */
const instanceId = (dataDir: DataDir): string => {
  const known = dataDir.read('instance-id')
  if (known !== null) return known
  const made = newId()
  dataDir.write('instance-id', made)
  return made
}

/** Previous workers with this data directory: it is locked now, so they are gone. */
const formerWorkers = (dataDir: DataDir): readonly string[] => {
  const former = dataDir.read('worker-id')
  return former === null ? [] : [former]
}

/** Port 0 means any free port, which must be known before jobs and links contain it. */
const withPort = async (config: Config): Promise<Config> => {
  if (config.port !== 0) return config
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, config.host, resolve)
  })
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  const publicUrl = config.publicUrl === publicUrlOf(config.host, 0) ? publicUrlOf(config.host, port) : config.publicUrl
  return { ...config, port, publicUrl }
}
