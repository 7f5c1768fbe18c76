import { hostname } from 'node:os'
import type { BlobStore } from '../blobs/blob-store.ts'
import { createCatalogues } from '../data/catalogues.ts'
import type { Executor } from '../executors/executor.ts'
import type { KindDefinition } from '../executors/kind-definition.ts'
import { allEnded } from '../kernel/all-ended.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Config } from '../kernel/settings.ts'
import type { JobLogs } from '../logs/job-logs.ts'
import { LEASE_MS } from '../model/lease.ts'
import { guardSecrets, isWrongKey } from '../store/same-key.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { Store, WorkerBeat } from '../store/store.ts'
import { createArtifactKeeper } from './artifacts.ts'
import { createCancelLoop } from './cancel.ts'
import { createBodyCheck } from './check-body.ts'
import { createClaimLoop } from './claim.ts'
import { createGarbageCollector } from './collect-garbage.ts'
import { createCompleter } from './complete.ts'
import { createCopyScheduleLoop } from './copy-schedule-loop.ts'
import { createCopySchedules } from './copy-schedules.ts'
import { createDeliverLoop } from './deliver.ts'
import type { Engine, PartHealth } from './engine.ts'
import { createExecute } from './execute.ts'
import { createJobEvents } from './job-events.ts'
import { createJobTokens } from './job-tokens.ts'
import type { Loop } from './loop.ts'
import { namingSubjects } from './name-subjects.ts'
import { createPromoteLoop } from './promote.ts'
import { createRenewLoop } from './renew.ts'
import { createRequireRights } from './require-rights.ts'
import { createRescuer } from './rescue.ts'
import { createRetainLoop } from './retain.ts'
import { createRunningJobs } from './running-jobs.ts'
import { createSubmit } from './submit.ts'
import { createSummarizeLoop } from './summarize.ts'
import { createTellProgress } from './tell-progress.ts'
import { createWorkflows } from './workflows/create-workflows.ts'
import { createFireLoop, createStartLoop } from './workflows/fire-loop.ts'

export type EngineOptions = {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly store: Store
  readonly blobs: BlobStore
  readonly logs: JobLogs
  readonly secrets: SecretBox
  /** Kinds that may be submitted. Their executors may run in other processes. */
  readonly definitions: readonly KindDefinition[]
  /** Executors of this process. Empty without the role `worker`. */
  readonly executors: readonly Executor[]
  /** Called before ended jobs are purged; see `retain.ts`. */
  readonly rememberJobs?: () => Promise<void>
  /** The URL at which jobs reach the server. Read when a job starts. */
  readonly url: () => string
  /** Worker ids of earlier runs of this process. Those workers are certainly gone, so their jobs are rescued at start. */
  readonly formerWorkers: readonly string[]
}

/** Poll interval in case hints are lost. Shorter if other processes may submit; otherwise all hints come from this process. */
const POLL_SHARED_MS = 1_000
const POLL_EMBEDDED_MS = 5_000
/** Slots for kinds that mostly wait for other systems (`api.md`, Configuration). */
const NETWORK_SLOTS = 64
/** Grace period for jobs that still run after `shutdownGraceMs`. */
const SHUTDOWN_KILL_GRACE_MS = 5_000

/** Assembles the engine. Each of its duties has a file in this folder. */
export const createEngine = (given: EngineOptions): Engine => {
  const { checkKey, ...guarded } = guardSecrets(given)
  const options: EngineOptions = { ...given, ...guarded }
  const { config, clock, logger, store, logs, blobs, secrets, executors } = options
  const workerId = newId()
  const pollMs = config.databaseUrl === null ? POLL_EMBEDDED_MS : POLL_SHARED_MS
  const running = createRunningJobs()
  const artifacts = createArtifactKeeper({ store, blobs, clock, maxBytes: config.maxArtifactBytes })
  const jobTokens = createJobTokens({ store, key: secrets.deriveKey('job-token') })
  const events = createJobEvents(store)
  const completer = createCompleter({ store, clock, logger, leaseMs: LEASE_MS })
  const check = createBodyCheck(options.definitions)
  const requireRights = createRequireRights(options.definitions)
  const { read: readCatalogue } = createCatalogues(store)
  const naming = namingSubjects({ store, definitions: options.definitions, readCatalogue })
  const submit = createSubmit({
    ...options,
    store: naming,
    check,
    requireRights,
    readCatalogue,
    maxQueued: config.maxQueued,
  })
  const { workflows, fire } = createWorkflows({
    ...options,
    store: naming,
    check,
    requireRights,
    maxItems: config.maxRunItems,
    maxQueued: config.maxQueued,
  })
  const copySchedules = createCopySchedules({ store, workflows, logger })
  const execute = createExecute({
    ...options,
    artifacts,
    jobTokens,
    completer,
    running,
    resultTtlMs: config.resultTtlMs,
    extend: workflows.extend,
  })
  const rescuer = createRescuer({ store, logs, clock, logger })

  const cancel = createCancelLoop({ store, clock, logger, running, workerId, pollMs })
  const claim = createClaimLoop({
    ...options,
    workerId,
    pollMs,
    leaseMs: LEASE_MS,
    slots: { default: config.maxWorkers, network: NETWORK_SLOTS },
    execute,
    afterClaim: cancel.wake,
    checkKey,
  })
  const promote = createPromoteLoop({ store, clock, logger, pollMs })
  const fireLoop = createFireLoop({ store, clock, logger, pollMs, fire, checkKey })
  const startLoop = createStartLoop({ store, clock, logger, pollMs })
  const deliver = createDeliverLoop({
    ...options,
    pollMs,
    addressRules: config.addressRules,
    publicUrl: config.publicUrl,
  })
  const beat: WorkerBeat = {
    id: workerId,
    host: hostname(),
    pid: process.pid,
    roles: config.roles,
    slots: config.maxWorkers,
    startedAt: clock.now(),
  }
  const renew = createRenewLoop({ store, clock, logger, running, executors, beat })

  const garbage = createGarbageCollector({ store, blobs, clock, logger })
  const schedulerLoops: readonly Pick<Loop, 'start' | 'stop'>[] = [
    promote,
    fireLoop,
    startLoop,
    deliver,
    rescuer.loop(),
    createRetainLoop({ store, logs, clock, logger, config, rememberJobs: options.rememberJobs ?? (async () => {}) }),
    createSummarizeLoop({ store, clock, logger }),
    createCopyScheduleLoop({ store, clock, logger, copySchedules }),
    garbage,
  ]
  const isWorker = config.roles.includes('worker')
  const isScheduler = config.roles.includes('scheduler')

  const unsubscribe = store.onSignal(signal => {
    if (signal.type === 'queued' && isWorker) claim.wake()
    if (signal.type === 'cancel' && isWorker) cancel.wake()
    if (!isScheduler) return
    if (signal.type === 'pending') promote.wake()
    if (signal.type === 'delivery') deliver.wake()
    if (signal.type === 'schedule') fireLoop.wake()
    if (signal.type === 'schedule' || signal.type === 'pending') startLoop.wake()
  })

  const start = async (): Promise<void> => {
    // With a wrong key the server starts all the same, and tells.
    await checkKey().catch(error => {
      if (!isWrongKey(error)) throw error
    })
    await store.beatWorker(beat)
    // All of them, even if one fails: `stop` can end only what has been started.
    await allEnded(executors.map(async executor => executor.start?.()))
    await rescuer.rescueWorkers(options.formerWorkers)
    if (isScheduler) for (const loop of schedulerLoops) loop.start()
    renew.start()
    if (!isWorker) return
    cancel.start()
    claim.start()
  }

  const shutDown = async (): Promise<void> => {
    await claim.stop()
    await withinMs(running.idle(), config.shutdownGraceMs)
    running.shutDown(SHUTDOWN_KILL_GRACE_MS)
    await running.idle()
    await completer.flush()
    unsubscribe()
    events.close()
    await Promise.all([cancel, renew, ...schedulerLoops].map(loop => loop.stop()))
    await Promise.all(executors.map(executor => executor.stop?.()))
  }

  let stopped: Promise<void> | null = null
  return {
    workerId,
    kinds: options.definitions.map(definition => definition.kind),
    ...submit,
    tellProgress: createTellProgress({ store, secrets, jobTokens }),
    workflows,
    copySchedules,
    events,
    artifacts,
    jobTokens,
    purge: async input => {
      const outcome = await store.purgeJob(input)
      if (outcome === 'purged') garbage.wake()
      return outcome
    },
    health: () => checkHealth({ store, blobs, executors, checkKey }),
    start,
    stop: () => {
      stopped ??= shutDown()
      return stopped
    },
  }
}

const withinMs = async (promise: Promise<void>, milliseconds: number): Promise<void> => {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([promise, late])
  clearTimeout(timer)
}

type Checked = Pick<EngineOptions, 'store' | 'blobs' | 'executors'> & { readonly checkKey: () => Promise<void> }

const checkHealth = async ({ store, blobs, executors, checkKey }: Checked): Promise<readonly PartHealth[]> =>
  Promise.all([
    reachable('store', () => store.ping()),
    reachable('blobs', () => blobs.ping()),
    reachable('secrets', checkKey),
    ...executors.map(async executor => ({ part: executor.kind, problems: (await executor.health?.()) ?? [] })),
  ])

const reachable = async (part: string, ping: () => Promise<void>): Promise<PartHealth> => {
  try {
    await ping()
    return { part, problems: [] }
  } catch (error) {
    return { part, problems: [{ severity: 'unavailable', message: (error as Error).message }] }
  }
}
