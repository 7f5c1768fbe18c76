import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { commandDefinition } from '../../src/executors/command/definition.ts'
import type { ExecutionContext, Executor } from '../../src/executors/executor.ts'
import type { KindDefinition } from '../../src/executors/kind-definition.ts'
import { type Clock, systemClock } from '../../src/kernel/clock.ts'
import { loadConfig } from '../../src/kernel/config.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createJobLogs } from '../../src/logs/create-job-logs.ts'
import type { ClaimedJob, Job } from '../../src/model/job.ts'
import { isEnded } from '../../src/model/job-status.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { ROLE_SCOPES } from '../../src/model/scopes.ts'
import { openSecretBox } from '../../src/store/secrets.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'

/** Who submits in these tests: an admin of the default workspace. */
export const SUBMITTER = { workspace: 'default', scopes: ROLE_SCOPES.admin, parentJobId: null } as const

/** What the jobs of a test do. Their kind is `command`, so that their bodies are real. */
export type Script = (job: ClaimedJob, context: ExecutionContext) => Promise<Outcome>

export type TestEngine = {
  readonly engine: Engine
  readonly store: Store
  readonly dataDir: string
  submit(...bodies: Record<string, unknown>[]): Promise<readonly string[]>
  get(jobId: string): Promise<Job>
  /** The job once it meets the condition. */
  until(jobId: string, condition: (job: Job) => boolean): Promise<Job>
  ended(jobId: string): Promise<Job>
  /** Stops the engine and closes its store; the data are kept for another engine. */
  close(): Promise<void>
}

export type EngineOptions = {
  readonly script: Script
  readonly dataDir?: string
  readonly settings?: Record<string, string>
  readonly formerWorkers?: readonly string[]
  readonly definition?: Partial<KindDefinition>
  /** Kinds besides `command`; their jobs follow the same script. */
  readonly otherKinds?: readonly KindDefinition[]
  readonly clock?: Clock
  /** Adds faults to the store. */
  readonly wrapStore?: (store: Store) => Store
  readonly secretKey?: string
}

const made: string[] = []

/** Removes the directories of all engines that this file has started. */
export const removeDataDirs = (): void => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
}

/** What an operator does whose secret key is lost for good. No engine may be running. */
export const acceptAnotherKey = (dataDir: string): void => {
  const database = new DatabaseSync(join(dataDir, 'millrace.db'))
  database.exec(`DELETE FROM setting WHERE name = 'secret_key_proof'`)
  database.close()
}

/** A real engine over a real store whose executor follows a script. */
export const startEngine = async (options: EngineOptions): Promise<TestEngine> => {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'millrace-engine-'))
  if (options.dataDir === undefined) made.push(dataDir)
  const { config } = loadConfig({
    flags: { 'data-dir': dataDir, ...options.settings },
    environment: {},
    directory: dataDir,
  })
  const clock = options.clock ?? systemClock
  const opened = await openSqliteStore({ path: join(dataDir, 'millrace.db'), clock })
  const store = options.wrapStore?.(opened) ?? opened
  const blobs = await openFileBlobStore({ directory: join(dataDir, 'blobs') })
  const parts = { config, clock, logger: silentLogger, store, blobs }
  const logs = createJobLogs({ ...parts, dataDir, maxBytes: config.logMaxBytes, shareTails: false })
  const definitions = [{ ...commandDefinition, ...options.definition }, ...(options.otherKinds ?? [])]
  const engine = createEngine({
    ...parts,
    logs,
    secrets: openSecretBox({ dataDir, secretKey: options.secretKey ?? null }),
    definitions,
    executors: definitions.map(({ kind }): Executor => ({ kind, lane: 'default', run: options.script })),
    url: () => 'http://127.0.0.1:1',
    formerWorkers: options.formerWorkers ?? [],
  })
  await engine.start()
  return { engine, store, dataDir, ...calls(engine, store), close: () => closeBoth(engine, opened) }
}

const closeBoth = async (engine: Engine, store: Store): Promise<void> => {
  await engine.stop()
  await store.close()
}

const calls = (engine: Engine, store: Store) => {
  const get = async (jobId: string): Promise<Job> => {
    const job = await store.getJob({ workspace: 'default', jobId })
    if (job === null) throw new Error(`job ${jobId} is lost`)
    return job
  }
  const until = async (jobId: string, condition: (job: Job) => boolean): Promise<Job> => {
    for (const end = Date.now() + 30_000; ; ) {
      const job = await get(jobId)
      if (condition(job)) return job
      if (Date.now() > end)
        throw new Error(`waited too long for job ${jobId}, which is ${job.status} (${job.statusReason})`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  return {
    get,
    until,
    ended: (jobId: string) => until(jobId, job => isEnded(job.status)),
    submit: async (...bodies: Record<string, unknown>[]): Promise<readonly string[]> => {
      const jobs = await engine.submit({
        submitter: SUBMITTER,
        bodies: bodies.map(body => ({ command: 'x', ...body })),
        path: 'jobs',
      })
      return jobs.map(job => job.id)
    },
  }
}
