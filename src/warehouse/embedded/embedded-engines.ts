import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import { WarehouseError } from '../warehouse.ts'
import { type EngineFolder, openEngineFolder } from './engine-folder.ts'
import { type EngineProcess, startEngineProcess } from './engine-process.ts'
import { isInstalled, MISSING_CHDB } from './find-chdb.ts'
import { createResultFiles, type ResultFiles } from './result-files.ts'

/** This server's engines: one process per workspace, started on first use and restarted after it dies. */
export interface EmbeddedEngines {
  /** The address of a workspace's engine, which is running when this resolves. Rejects with `WarehouseError`. Call it again for every statement. */
  address(workspace: string): Promise<EngineAddress>
  /** How many engines of a workspace have ended, for whatever reason. */
  ends(workspace: string): number
  /** Why engines do not start; null when no problem is known. */
  problem(): string | null
  /** What an operator should know although everything works: that engines are not confined to their folders. null: no warning known. */
  warning(): string | null
  /** Stops all engines. Idempotent. */
  close(): Promise<void>
}

export type EngineAddress = {
  readonly socketPath: string
  /** The database of the workspace's tables. Always exists. */
  readonly database: 'live'
  /** ClickHouse's version: `26.7.2.1`. */
  readonly version: string
  readonly pid: number
  /** A faster path for results than the response body. */
  readonly resultFiles: ResultFiles
}

export type EmbeddedEnginesOptions = {
  /** The server's data directory. Each engine has `warehouse/<workspace>` below it. */
  readonly dataDir: string
  /** Per engine; null: chDB's default, nine tenths of the machine's memory. */
  readonly memoryBytes: number | null
  /** An engine unused for this long is stopped. */
  readonly idleMs: number
  /** How long a cancelled statement may keep running before its engine is killed. */
  readonly killGraceMs?: number
  /** The package that must be installed; default `chdb`. */
  readonly packageName?: string
  readonly logger: Logger
  readonly clock: Clock
}

type Entry = {
  readonly starting: Promise<EngineProcess>
  readonly folder: EngineFolder
  readonly resultFiles: ResultFiles
  usedAt: number
}

const KILL_GRACE_MS = 10_000

const UNCONFINED = 'Data engines can reach files outside of their folders, if a statement gets past the SQL guard'

/** Starts no engine yet. */
export const openEmbeddedEngines = (options: EmbeddedEnginesOptions): EmbeddedEngines => {
  const { dataDir, memoryBytes, idleMs, killGraceMs = KILL_GRACE_MS, packageName = 'chdb', logger, clock } = options
  const entries = new Map<string, Entry>()
  const ends = new Map<string, number>()
  let closed = false
  let lastFailure: string | null = null
  let unconfined: string | null = null

  const start = (workspace: string): Entry => {
    const folder = openEngineFolder({ dataDir, workspace })
    const settings = {
      dataPath: folder.data,
      lockPath: folder.lock,
      socketPath: folder.socket,
      spoolPath: folder.spool,
      memoryBytes,
      idleMs,
      killGraceMs,
      unconfined: null,
    }
    const starting = startEngineProcess({ settings, logger, onIdle: () => void stopIdle(workspace) })
    const entry = { starting, folder, resultFiles: createResultFiles(folder.spool), usedAt: clock.monotonic() }
    starting.then(
      engine => {
        lastFailure = null
        unconfined = engine.unconfined
        logger.info({ workspace, engine: engine.pid, version: engine.version }, 'a data engine runs')
        void engine.ended.then(() => forget(workspace, entry))
      },
      (error: Error) => {
        lastFailure = `The data engine of the workspace ${workspace} did not start: ${error.message}`
        forget(workspace, entry)
      },
    )
    entries.set(workspace, entry)
    return entry
  }

  const forget = (workspace: string, entry: Entry): void => {
    entry.folder.release()
    ends.set(workspace, (ends.get(workspace) ?? 0) + 1)
    if (entries.get(workspace) === entry) entries.delete(workspace)
  }

  /** Called when an engine reports that nothing is running. It must also have been unused for long enough. */
  const stopIdle = async (workspace: string): Promise<void> => {
    const entry = entries.get(workspace)
    if (entry === undefined || clock.monotonic() - entry.usedAt < idleMs) return
    entries.delete(workspace)
    await (await entry.starting).stop()
  }

  return {
    address: async workspace => {
      if (closed) throw new WarehouseError('engine_unavailable', 'The server is stopping.')
      if (!isInstalled(packageName)) throw new WarehouseError('engine_unavailable', MISSING_CHDB)
      const entry = entries.get(workspace) ?? start(workspace)
      entry.usedAt = clock.monotonic()
      try {
        const { version, pid } = await entry.starting
        return { socketPath: entry.folder.socket, database: 'live', version, pid, resultFiles: entry.resultFiles }
      } catch (error) {
        throw new WarehouseError('engine_unavailable', `The data engine did not start: ${(error as Error).message}`, {
          cause: error,
        })
      }
    },
    ends: workspace => ends.get(workspace) ?? 0,
    problem: () => (isInstalled(packageName) ? lastFailure : MISSING_CHDB),
    warning: () => (unconfined === null ? null : `${UNCONFINED}: ${unconfined}.`),
    close: async () => {
      closed = true
      const all = [...entries.values()]
      await Promise.allSettled(all.map(async entry => (await entry.starting).stop()))
    },
  }
}
