import type { BlobStore } from '../blobs/blob-store.ts'
import type { ExecutionContext, Executor } from '../executors/executor.ts'
import type { Clock } from '../kernel/clock.ts'
import { toTimestamp } from '../kernel/clock.ts'
import { ERRORS, isDiskFull } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { once } from '../kernel/once.ts'
import type { AttemptLog, JobLogs } from '../logs/job-logs.ts'
import { toAttemptEnd } from '../model/attempt-end.ts'
import type { ClaimedJob, Lease } from '../model/job.ts'
import type { Kind } from '../model/kind.ts'
import type { Outcome } from '../model/outcome.ts'
import { SHORTEST_MASKED } from '../model/secrets.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { Store } from '../store/store.ts'
import { storeArtifactFile } from './artifact-file.ts'
import { type AttemptClock, createAttemptClock } from './attempt-clock.ts'
import type { Completer } from './complete.ts'
import type { ArtifactKeeper, JobTokens } from './engine.ts'
import { keepResult } from './keep-result.ts'
import { createLateLog } from './late-log.ts'
import { createProgressWriter } from './progress.ts'
import type { RunningJobs } from './running-jobs.ts'
import { createStopSignal, type StopSwitch } from './stop-signal.ts'
import type { Workflows } from './workflows.ts'

export type ExecuteDependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly logs: JobLogs
  readonly secrets: SecretBox
  readonly artifacts: ArtifactKeeper
  readonly jobTokens: JobTokens
  readonly completer: Completer
  readonly running: RunningJobs
  readonly executors: readonly Executor[]
  readonly blobs: BlobStore
  readonly resultTtlMs: number
  readonly extend: Workflows['extend']
  /** Where jobs reach the server; known once it listens. */
  readonly url: () => string
}

/** An attempt under way and everything that belongs to it. */
type Execution = {
  readonly job: ClaimedJob
  readonly lease: Lease
  readonly stop: StopSwitch
  readonly log: AttemptLog
  readonly context: ExecutionContext
  readonly attemptClock: () => AttemptClock
  /** Waits for writes of progress that are under way. */
  readonly settle: () => Promise<void>
}

/** Carries out one claimed job from its first step to its end in the store. Never rejects. */
export const createExecute = (options: ExecuteDependencies) => {
  const dependencies = { ...options, byKind: new Map(options.executors.map(executor => [executor.kind, executor])) }

  return async (job: ClaimedJob, leaseSentAt: number): Promise<void> => {
    const stop = createStopSignal(dependencies.clock)
    const running = { job, stop }
    dependencies.running.add(running)
    try {
      await carryOut(dependencies, { job, stop, leaseSentAt })
    } catch (error) {
      dependencies.logger.error({ err: error, job_id: job.id }, 'an attempt failed in the server itself')
      await giveUp(dependencies, job, error)
    } finally {
      dependencies.running.remove(running)
    }
  }
}

type Start = { readonly job: ClaimedJob; readonly stop: StopSwitch; readonly leaseSentAt: number }

const carryOut = async (
  dependencies: ExecuteDependencies & { byKind: ReadonlyMap<Kind, Executor> },
  start: Start,
): Promise<void> => {
  const execution = prepare(dependencies, start)
  const outcome = await run(dependencies, dependencies.byKind.get(start.job.kind)!, execution)
  await finish(dependencies, execution, outcome)
}

/** Ends an attempt about which nothing is known but that the server could not carry it out (for example a wrong secret key). */
const giveUp = async ({ completer }: ExecuteDependencies, job: ClaimedJob, error: unknown): Promise<void> => {
  const outcome: Outcome = {
    type: 'failed',
    failure: 'system',
    reason: 'executor_crashed',
    message: (error as Error).message,
  }
  const lease: Lease = { jobId: job.id, attempt: job.attempt, leaseToken: job.leaseToken }
  await completer.end({ lease, end: toAttemptEnd(outcome, null, job)!, log: [] })
}

const prepare = (
  dependencies: ExecuteDependencies,
  { job, stop, leaseSentAt }: { job: ClaimedJob; stop: StopSwitch; leaseSentAt: number },
): Execution => {
  const { store, clock, logger, logs, artifacts, blobs, resultTtlMs, extend } = dependencies
  const attemptClock = once(() => createAttemptClock({ job, stop, store, logger }))
  const lease: Lease = { jobId: job.id, attempt: job.attempt, leaseToken: job.leaseToken }
  const secrets = job.secrets === null ? {} : dependencies.secrets.open(job.secrets)
  // Made when they are first needed: for the shortest jobs they would cost more than all the rest.
  const token = once(() => dependencies.jobTokens.issue(job.id, job.attempt))
  const environment = once(() => jobEnvironment(job, { url: dependencies.url(), token: token() }))
  const log = createLateLog(() => {
    const mask = [token(), ...Object.values(secrets)].filter(secret => secret.length >= SHORTEST_MASKED)
    return logs.open({ workspace: job.workspace, lease, firstSeq: job.nextLogSeq, mask })
  })
  const progress = createProgressWriter({ store, logger, workspace: job.workspace, lease })
  const context: ExecutionContext = {
    clock,
    logger,
    stop,
    log,
    secrets,
    get environment() {
      return environment()
    },
    leaseSentAt,
    progress: progress.set,
    addArtifact: file => storeArtifactFile({ artifacts, job, file }),
    extendTimeout: () => attemptClock().restart(),
    extendPayload: items => extend({ workspace: job.workspace, jobId: job.id, attempt: job.attempt, items }),
    keepResult: result => keepResult({ blobs, keptMs: resultTtlMs, ...result }),
  }
  return { job, lease, stop, log, context, attemptClock, settle: progress.settle }
}

/** What every running job gets beside its own environment (`api.md`, Jobs). */
const jobEnvironment = (
  job: ClaimedJob,
  { url, token }: { url: string; token: string },
): Readonly<Record<string, string>> => ({
  MILLRACE_URL: url,
  MILLRACE_TOKEN: token,
  MILLRACE_JOB_ID: job.id,
  MILLRACE_ATTEMPT: String(job.attempt),
  MILLRACE_SCHEDULED_AT: toTimestamp(job.scheduledAt ?? job.createdAt),
  ...(job.runId && { MILLRACE_RUN_ID: job.runId }),
  ...(job.workflowId && { MILLRACE_WORKFLOW_ID: job.workflowId }),
})

const run = async (
  { logger }: ExecuteDependencies,
  executor: Executor,
  { job, attemptClock, context }: Execution,
): Promise<Outcome> => {
  if (job.timeoutMs !== null) attemptClock().start()
  try {
    return await executor.run(job, context)
  } catch (error) {
    if (isDiskFull(error))
      return { type: 'failed', failure: 'user', reason: 'disk_full', message: ERRORS.disk_full.title }
    logger.error({ err: error, job_id: job.id }, 'an executor crashed')
    return { type: 'failed', failure: 'system', reason: 'executor_crashed', message: (error as Error).message }
  } finally {
    if (job.timeoutMs !== null) attemptClock().stop()
  }
}

const finish = async (
  { completer, logger }: ExecuteDependencies,
  execution: Execution,
  outcome: Outcome,
): Promise<void> => {
  const { job, lease, stop, log } = execution
  await execution.settle()
  const parts = await log.finish()
  // What was written before the disk was full stays; work that went on without its log has not ended well.
  const full = isDiskFull(log.fault)
  const told: Outcome =
    full && outcome.type === 'completed'
      ? { type: 'failed', failure: 'user', reason: 'disk_full', message: ERRORS.disk_full.title }
      : outcome
  const end = toAttemptEnd(told, stop.cause, job)
  if (end !== null) {
    const result = await completer.end({ lease, end, log: parts })
    if (!result.applied)
      logger.warn({ job_id: job.id, attempt: job.attempt }, 'an attempt ended after its lease was lost')
  }
  await log.dispose()
}
