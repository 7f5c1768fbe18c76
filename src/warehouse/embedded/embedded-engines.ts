import type { Clock } from '../../kernel/clock.ts'
import type { Logger } from '../../kernel/logger.ts'
import { WarehouseError } from '../warehouse.ts'
import { type EngineFolder, openEngineFolder } from './engine-folder.ts'
import { type EngineProcess, startEngineProcess } from './engine-process.ts'
import { isInstalled, MISSING_CHDB } from './find-chdb.ts'
import { createResultFiles, type ResultFiles } from './result-files.ts'

/** The engines of this server: one process per workspace, started when first needed and again after it died. */
export interface EmbeddedEngines {
  /** Where a workspace's engine listens; it runs when this resolves. Rejects with `WarehouseError`. Ask anew for every statement. */
  address(workspace: string): Promise<EngineAddress>
  /** How many engines of a workspace have ended, asked or not. */
  ends(workspace: string): number
  /** What keeps engines from starting; null when nothing is known. */
  problem(): string | null
  /** What an operator should know though all works: engines are not confined to their folders. null: nothing, as far as is known. */
  warning(): string | null
  /** Ends all. Idempotent. */
  close(): Promise<void>
}

export type EngineAddress = {
  readonly socketPath: string
  /** The database of the workspace's tables. It exists. */
  readonly database: 'live'
  /** Of ClickHouse: `26.7.2.1`. */
  readonly version: string
  readonly pid: number
  /** A quicker way for results than the body of the answer. */
  readonly resultFiles: ResultFiles
}

export type EmbeddedEnginesOptions = {
  /** The server's. Engines keep theirs in `warehouse/<workspace>` below it. */
  readonly dataDir: string
  /** Of each engine; null: nine tenths of the machine's, as chDB has it. */
  readonly memoryBytes: number | null
  /** An engine that nobody used for so long is ended. */
  readonly idleMs: number
  /** How long a cancelled statement may go on before its engine is ended. */
  readonly killGraceMs?: number
  /** The package that has to be there; `chdb` when absent. */
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

/** Starts nothing yet. */
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

  /** Not used is not enough: it has said that nothing runs. */
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
