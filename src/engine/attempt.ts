import type { BlobStore } from '../blobs/blob-store.ts'
import type { ExecutionContext } from '../executors/executor.ts'
import { type Clock, toTimestamp } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { AttemptLog, JobLogs, LogWriter } from '../logs/job-logs.ts'
import { Masker, maskText } from '../logs/masker.ts'
import type { ClaimedJob, Lease, Progress, ResultFormat } from '../model/job.ts'
import { leaseOf } from '../model/lease.ts'
import type { LogPart, LogStream } from '../model/log-line.ts'
import type { AttemptEnd, NewResult } from '../model/outcome.ts'
import { SHORTEST_MASKED } from '../model/secrets.ts'
import { storageFailure } from '../model/storage-failure.ts'
import type { SecretBox } from '../store/secrets.ts'
import type { Store } from '../store/store.ts'
import { storeArtifactFile } from './artifact-file.ts'
import { type AttemptClock, createAttemptClock } from './attempt-clock.ts'
import type { ArtifactKeeper, JobTokens } from './engine.ts'
import { keepResult, keepResultStream } from './keep-result.ts'
import { createProgressWriter, type ProgressWriter } from './progress.ts'
import type { Slot } from './slots.ts'
import type { StopSwitch } from './stop-signal.ts'
import type { Workflows } from './workflows.ts'

export type AttemptDependencies = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly logs: JobLogs
  readonly blobs: BlobStore
  readonly secrets: SecretBox
  readonly artifacts: ArtifactKeeper
  readonly jobTokens: JobTokens
  readonly resultTtlMs: number
  readonly extend: Workflows['extend']
  /** The URL at which jobs reach the server. Known once the server listens. */
  readonly url: () => string
}

type Start = {
  readonly job: ClaimedJob
  readonly stop: StopSwitch
  readonly leaseSentAt: number
  readonly slot: Slot
}

const NO_SECRETS: Readonly<Record<string, string>> = Object.freeze({})
const NO_PROGRESS: Progress = Object.freeze({ percentage: null, message: null })
const NO_PARTS: readonly LogPart[] = Object.freeze([])

/**
 * A running attempt and everything that belongs to it, as seen by its executor and by the engine that ends it. The log, token, environment, clock etc.
 * are created on first use: for the shortest jobs, creating them would cost more than everything else.
 */
export class Attempt implements ExecutionContext, LogWriter {
  readonly #dependencies: AttemptDependencies
  readonly job: ClaimedJob
  readonly lease: Lease
  readonly stop: StopSwitch
  readonly leaseSentAt: number
  readonly slot: Slot
  readonly secrets: Readonly<Record<string, string>>
  #token: string | null = null
  #environment: Readonly<Record<string, string>> | null = null
  #log: AttemptLog | null = null
  #makeMasker: (() => Masker) | null | undefined
  #told: Progress = NO_PROGRESS
  #progress: ProgressWriter | null = null
  #timer: AttemptClock | null = null
  #kept: NewResult | null = null

  /** Throws if the job's secrets cannot be decrypted. */
  constructor(dependencies: AttemptDependencies, { job, stop, leaseSentAt, slot }: Start) {
    this.#dependencies = dependencies
    this.job = job
    this.stop = stop
    this.leaseSentAt = leaseSentAt
    this.slot = slot
    this.lease = leaseOf(job)
    this.secrets = job.secrets === null ? NO_SECRETS : dependencies.secrets.open(job.secrets)
  }

  get clock(): Clock {
    return this.#dependencies.clock
  }

  get logger(): Logger {
    return this.#dependencies.logger
  }

  get environment(): Readonly<Record<string, string>> {
    this.#environment ??= jobEnvironment(this.job, { url: this.#dependencies.url(), token: this.#ownToken() })
    return this.#environment
  }

  get log(): LogWriter {
    return this
  }

  write(stream: LogStream, bytes: Uint8Array): void | Promise<void> {
    return this.#openLog().write(stream, bytes)
  }

  note(text: string): void | Promise<void> {
    return this.#openLog().note(text)
  }

  mask(text: string): string {
    // An attempt that was given no secret cannot leak one.
    if (this.#token === null && this.secrets === NO_SECRETS) return text
    if (this.#makeMasker === undefined) this.#makeMasker = Masker.for(this.#allSecrets())
    return maskText(this.#makeMasker, text)
  }

  progress(progress: Progress): void {
    this.#told = progress
    this.#tell(progress)
  }

  waits(message: string | null): void {
    this.#tell(message === null ? this.#told : { ...this.#told, message })
  }

  #tell(progress: Progress): void {
    const { store, logger } = this.#dependencies
    this.#progress ??= createProgressWriter({ store, logger, workspace: this.job.workspace, lease: this.lease })
    const { message } = progress
    this.#progress.set(message === null ? progress : { ...progress, message: this.mask(message) })
  }

  async addArtifact(file: { name: string; path: string }): Promise<'added' | 'name_taken'> {
    try {
      return await storeArtifactFile({ artifacts: this.#dependencies.artifacts, job: this.job, file })
    } catch (error) {
      // The job gets a short message; the store's own error is for the operator of the server.
      if (storageFailure(error) !== null)
        this.logger.warn({ err: error, job_id: this.job.id }, 'an artifact could not be kept')
      throw error
    }
  }

  async keepResult(result: { format: ResultFormat; content: string | Uint8Array }): Promise<NewResult> {
    const { blobs, resultTtlMs } = this.#dependencies
    this.#kept = await keepResult({ blobs, keptMs: resultTtlMs, ...result })
    return this.#kept
  }

  async keepResultStream(result: {
    format: ResultFormat
    content: AsyncIterable<Uint8Array>
    maxBytes: number
  }): Promise<NewResult> {
    const { blobs, resultTtlMs } = this.#dependencies
    this.#kept = await keepResultStream({ blobs, keptMs: resultTtlMs, signal: this.stop.signal, ...result })
    return this.#kept
  }

  extendPayload(items: readonly unknown[]): Promise<void> {
    const { workspace, id: jobId, attempt } = this.job
    return this.#dependencies.extend({ workspace, jobId, attempt, items })
  }

  lendSlot<T>(wait: () => Promise<T>): Promise<T> {
    return this.slot.lend(wait, this.stop.signal)
  }

  releaseSlot(): void {
    this.slot.release()
  }

  extendTimeout(): void {
    this.#timer?.restart()
  }

  /** Starts the timeout, if the attempt has one. */
  startClock(): void {
    if (this.job.timeoutMs === null) return
    const { store, logger } = this.#dependencies
    this.#timer = createAttemptClock({ job: this.job, stop: this.stop, store, logger })
    this.#timer.start()
  }

  stopClock(): void {
    this.#timer?.stop()
  }

  /**
   * Waits for writes in flight. Returns the log parts to store in the transaction that ends the attempt, and the disk error if part of the log could not be
   * written.
   */
  async finish(): Promise<{ readonly log: readonly LogPart[]; readonly fault: Error | null }> {
    await this.#progress?.settle()
    if (this.#log === null) return { log: NO_PARTS, fault: null }
    const log = await this.#log.finish()
    return { log, fault: this.#log.fault }
  }

  /** Call once the end is stored, or with null if it never will be. */
  async dispose(end: AttemptEnd | null): Promise<void> {
    await this.#log?.dispose()
    if (end?.type !== 'complete') await this.#removeResult()
  }

  /** Nobody knows of this result: the attempt was cancelled or failed after its result was complete. */
  async #removeResult(): Promise<void> {
    if (this.#kept === null || !('blobKey' in this.#kept.content)) return
    const { blobs, logger } = this.#dependencies
    await blobs.delete(this.#kept.content.blobKey).catch(error => {
      // Garbage collection will find it.
      logger.warn({ err: error, job_id: this.job.id }, 'a result that no job has could not be removed')
    })
  }

  #openLog(): AttemptLog {
    if (this.#log === null) {
      const { job, lease } = this
      const mask = this.#allSecrets().filter(secret => secret.length >= SHORTEST_MASKED)
      this.#log = this.#dependencies.logs.open({ workspace: job.workspace, lease, firstSeq: job.nextLogSeq, mask })
    }
    return this.#log
  }

  #allSecrets(): readonly string[] {
    return [this.#ownToken(), ...Object.values(this.secrets)]
  }

  #ownToken(): string {
    this.#token ??= this.#dependencies.jobTokens.issue(this.job.id, this.job.attempt)
    return this.#token
  }
}

/** The variables every running job gets in addition to its own environment (`api.md`, Jobs). */
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
