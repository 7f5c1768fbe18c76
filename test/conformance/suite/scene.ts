import { newId } from '../../../src/kernel/ids.ts'
import type { ClaimedJob, JobEvent, Lease, NewJob } from '../../../src/model/job.ts'
import { KINDS } from '../../../src/model/kind.ts'
import { LEASE_MS } from '../../../src/model/lease.ts'
import type { LogPart } from '../../../src/model/log-line.ts'
import type { AttemptEnd } from '../../../src/model/outcome.ts'
import { SINGLE_JOB_RETRY } from '../../../src/model/retry.ts'
import type { EndResult, Store, StoreSignal, SubmittedJob } from '../../../src/store/store.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** What each implementation provides for the suite: a fresh, empty store whose time is that of the clock. */
export type OpenStore = (clock: VirtualClock) => Promise<OpenedStore>
export type OpenedStore = {
  readonly store: Store
  /** Several processes can open the same data at once. */
  readonly isShared: boolean
  readonly close: () => Promise<void>
  /** Closes the store and opens the same data again. */
  readonly reopen: () => Promise<Store>
}

export const WORKSPACE = 'default'
export const NO_EXIT = { exitCode: null, signal: null } as const
export const COMPLETE: AttemptEnd = {
  type: 'complete',
  exit: { exitCode: 0, signal: null },
  statistics: null,
  result: null,
}

export const failure = (overrides: Partial<Extract<AttemptEnd, { type: 'fail' }>> = {}): AttemptEnd => ({
  type: 'fail',
  reason: 'exit_code',
  failure: 'user',
  message: 'exit code 1',
  exit: { exitCode: 1, signal: null },
  ...overrides,
})

export const retryIn = (
  delayMs: number,
  overrides: Partial<Extract<AttemptEnd, { type: 'retry' }>> = {},
): AttemptEnd => ({
  type: 'retry',
  reason: 'exit_code',
  failure: 'user',
  message: 'exit code 1',
  exit: { exitCode: 1, signal: null },
  delayMs,
  ...overrides,
})

export const newJob = (overrides: Partial<NewJob> = {}): NewJob => ({
  id: newId(),
  workspace: WORKSPACE,
  kind: 'command',
  name: null,
  labels: {},
  queue: 'default',
  priority: 0,
  trigger: 'manual',
  workflowId: null,
  runId: null,
  parentJobId: null,
  rerunOf: null,
  exclusiveKey: null,
  dataSource: null,
  pipe: null,
  scheduledAt: null,
  timeoutMs: null,
  graceMs: null,
  retry: SINGLE_JOB_RETRY,
  restartable: true,
  spec: '{"command":"true"}',
  secrets: null,
  scopes: ['jobs:read'],
  sinks: [],
  ...overrides,
})

export const newJobs = (count: number, overrides: Partial<NewJob> = {}): NewJob[] =>
  Array.from({ length: count }, () => newJob(overrides))

export const logPart = (firstSeq: number, lastSeq: number, overrides: Partial<LogPart> = {}): LogPart => ({
  firstSeq,
  lastSeq,
  attempt: 1,
  firstAt: 1,
  lastAt: 2,
  bytes: 10,
  data: overrides.blobKey == null ? Buffer.from(`lines ${firstSeq} to ${lastSeq}`) : null,
  blobKey: null,
  ...overrides,
})

export const leaseOf = (job: ClaimedJob): Lease => ({
  jobId: job.id,
  attempt: job.attempt,
  leaseToken: job.leaseToken,
})

/** One test's store with its clock, and the steps that most tests take. */
export class Scene {
  readonly clock: VirtualClock
  readonly signals: StoreSignal[] = []
  #opened: OpenedStore
  #store: Store

  constructor(clock: VirtualClock, opened: OpenedStore) {
    this.clock = clock
    this.#opened = opened
    this.#store = opened.store
    this.#listen()
  }

  get store(): Store {
    return this.#store
  }

  get isShared(): boolean {
    return this.#opened.isShared
  }

  async reopen(): Promise<void> {
    this.#store = await this.#opened.reopen()
    this.#listen()
  }

  close(): Promise<void> {
    return this.#opened.close()
  }

  #listen(): void {
    this.#store.onSignal(signal => this.signals.push(signal))
  }

  /** Status changes so far, oldest first. */
  events(): JobEvent[] {
    return this.signals.flatMap(signal => (signal.type === 'events' ? signal.events : []))
  }

  async submit(jobs: readonly NewJob[]): Promise<readonly SubmittedJob[]> {
    const outcome = await this.store.submitJobs({ jobs, maxQueued: 1_000_000 })
    if (outcome.type !== 'submitted') throw new Error(`not submitted: ${outcome.type}`)
    return outcome.jobs
  }

  async submitOne(overrides: Partial<NewJob> = {}): Promise<NewJob> {
    const job = newJob(overrides)
    await this.submit([job])
    return job
  }

  claim(limit = 100, workerId = 'worker-1'): Promise<readonly ClaimedJob[]> {
    return this.store.claimJobs({ workerId, kinds: KINDS, limit, leaseMs: LEASE_MS })
  }

  async claimOne(workerId = 'worker-1'): Promise<ClaimedJob> {
    const [job] = await this.claim(1, workerId)
    if (!job) throw new Error('there was nothing to claim')
    return job
  }

  /** Submits a job and claims it. */
  async start(overrides: Partial<NewJob> = {}, workerId = 'worker-1'): Promise<ClaimedJob> {
    const job = await this.submitOne(overrides)
    const claimed = await this.claimOne(workerId)
    if (claimed.id !== job.id) throw new Error('another job was claimed')
    return claimed
  }

  async end(job: ClaimedJob, end: AttemptEnd = COMPLETE, log: readonly LogPart[] = []): Promise<EndResult> {
    const [result] = await this.store.endAttempts([{ lease: leaseOf(job), end, log }])
    return result!
  }

  /** A job that has ended. */
  async finished(overrides: Partial<NewJob> = {}, end: AttemptEnd = COMPLETE, log: readonly LogPart[] = []) {
    const job = await this.start(overrides)
    const result = await this.end(job, end, log)
    if (!result.applied) throw new Error('the end was refused')
    return job
  }

  async job(jobId: string, workspace = WORKSPACE) {
    const job = await this.store.getJob({ workspace, jobId })
    if (!job) throw new Error(`no job ${jobId}`)
    return job
  }

  async status(jobId: string) {
    return (await this.job(jobId)).status
  }

  cancel(jobId: string, graceMs: number | null = null) {
    return this.store.cancelJob({ workspace: WORKSPACE, jobId, reason: 'cancelled_by_user', graceMs })
  }

  async listIds(filters: Parameters<Store['listJobs']>[0]['filters'] = {}): Promise<string[]> {
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const page = await this.store.listJobs({ workspace: WORKSPACE, filters, limit: 500, cursor })
      ids.push(...page.jobs.map(job => job.id))
      cursor = page.nextCursor
    } while (cursor !== null)
    return ids
  }

  lost(workerIds?: readonly string[]) {
    return this.store.listLostAttempts({ leaseMs: LEASE_MS, limit: 100, ...(workerIds ? { workerIds } : {}) })
  }

  /** Waits, with a bound, for the effect of signals: they arrive after the promise that caused them. */
  async eventually(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 10_000
    while (!condition()) {
      if (performance.now() > deadline) throw new Error('the condition did not come true within 10 s')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
}
