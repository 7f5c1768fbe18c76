import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileBlobStore } from '../../src/blobs/file/file-blob-store.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { createJobLogs, type JobLogsOptions } from '../../src/logs/create-job-logs.ts'
import type { AttemptLog, JobLogs } from '../../src/logs/job-logs.ts'
import type { ClaimedJob } from '../../src/model/job.ts'
import { KINDS } from '../../src/model/kind.ts'
import { LEASE_MS } from '../../src/model/lease.ts'
import type { LogLine } from '../../src/model/log-line.ts'
import type { AttemptEnd } from '../../src/model/outcome.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { COMPLETE, leaseOf, newJob, WORKSPACE } from '../conformance/suite/scene.ts'

/** A store, blobs and logs over them, in a directory of their own. */
export class LogScene {
  readonly directory: string
  readonly store: Store
  readonly logs: JobLogs
  readonly #options: JobLogsOptions
  readonly #opened: AttemptLog[] = []

  private constructor(options: JobLogsOptions) {
    this.directory = options.dataDir
    this.store = options.store
    this.#options = options
    this.logs = createJobLogs(options)
  }

  static async open(overrides: Partial<JobLogsOptions> & { readonly store: Store }): Promise<LogScene> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-logs-'))
    const blobs = await openFileBlobStore({ directory: join(directory, 'blobs') })
    const options = {
      blobs,
      clock: systemClock,
      dataDir: directory,
      maxBytes: 2 ** 30,
      logger: silentLogger,
      shareTails: false,
      ...overrides,
    }
    return new LogScene(options)
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(log => log.dispose()))
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Logs as another process, or this one after a crash, would open them. */
  anotherProcess(overrides: Partial<JobLogsOptions> = {}): JobLogs {
    return createJobLogs({ ...this.#options, ...overrides })
  }

  async start(maximumAttempts = 1): Promise<ClaimedJob> {
    const retry = { maximumAttempts, initialInterval: 0, backoffCoefficient: 1, maximumInterval: null }
    await this.store.submitJobs({ jobs: [newJob({ retry })], maxQueued: 1_000_000 })
    return this.claim()
  }

  async claim(): Promise<ClaimedJob> {
    await this.store.promoteDueJobs({ limit: 10 })
    const [job] = await this.store.claimJobs({ workerId: 'worker-1', kinds: KINDS, limit: 1, leaseMs: LEASE_MS })
    if (job === undefined) throw new Error('there was nothing to claim')
    return job
  }

  openLog(job: ClaimedJob, mask: readonly string[] = [], logs = this.logs): AttemptLog {
    const log = logs.open({ workspace: WORKSPACE, lease: leaseOf(job), firstSeq: job.nextLogSeq, mask })
    this.#opened.push(log)
    return log
  }

  /** Ends the attempt as the engine does. */
  async end(job: ClaimedJob, log: AttemptLog, end: AttemptEnd = COMPLETE): Promise<void> {
    const parts = await log.finish()
    const [result] = await this.store.endAttempts([{ lease: leaseOf(job), end, log: parts }])
    if (!result!.applied) throw new Error('the end was refused')
    await log.dispose()
  }

  /** The whole log, page by page. */
  async lines(jobId: string, logs = this.logs): Promise<LogLine[]> {
    const lines: LogLine[] = []
    for (let after = 0; ; ) {
      const page = await logs.page({ workspace: WORKSPACE, jobId, after, limit: 5000 })
      if (page === null) throw new Error('no such job')
      lines.push(...page.lines)
      if (page.nextAfter === null || page.nextAfter === after) return lines
      after = page.nextAfter
    }
  }

  async texts(jobId: string, logs = this.logs): Promise<string[]> {
    return (await this.lines(jobId, logs)).map(line => line.line)
  }

  async parts(jobId: string) {
    const index = await this.store.listLogParts({ workspace: WORKSPACE, jobId, fromSeq: 1, limit: 10_000 })
    return index!.parts
  }

  async spooledBytes(): Promise<Buffer> {
    const files = await this.spoolFiles()
    return Buffer.concat(await Promise.all(files.map(file => readFile(join(this.directory, 'spool', file)))))
  }

  async spoolFiles(): Promise<string[]> {
    return readdir(join(this.directory, 'spool')).catch(() => [])
  }
}

/** One store for all tests of a file: opening one starts two threads. */
export const openStore = async (): Promise<{ store: Store; close: () => Promise<void> }> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-logs-store-'))
  const store = await openSqliteStore({ path: join(directory, 'millrace.db'), clock: systemClock })
  const close = async () => {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { store, close }
}

/** Waits, with a bound, for a condition. */
export const eventually = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
  const deadline = performance.now() + 20_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition did not come true within 20 s')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** `count` different lines, about 50 bytes each. */
export const numberedLines = (count: number, from = 1): string =>
  Array.from({ length: count }, (_, i) => `line ${from + i} of a log that is to be read again later\n`).join('')
