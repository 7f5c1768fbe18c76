import { newId } from '../../src/kernel/ids.ts'
import type { ClaimedJob, Lease, NewJob } from '../../src/model/job.ts'
import { KINDS } from '../../src/model/kind.ts'
import type { AttemptEnd } from '../../src/model/outcome.ts'
import { SINGLE_JOB_RETRY } from '../../src/model/retry.ts'
import type { Store } from '../../src/store/store.ts'
import { type BenchServerOptions, startBenchServer } from './bench-server.ts'

const BATCH = 2000
/** Of all jobs, how many stay live: scheduled, queued and running ones. */
const LIVE_SHARE = 0.03

/** Ids that the seeded jobs carry, to filter by. */
export type Seeded = {
  readonly workflowId: string
  readonly runId: string
  readonly parentJobId: string
  /** A time in the middle of the seeding. */
  readonly middle: string
}

/** The API over a store that holds very many jobs of all sorts; seeding goes through the store's own operations. */
export const open = async (options: BenchServerOptions) => {
  const server = await startBenchServer(options)
  return {
    address: () => Promise.resolve(server.url),
    seed: (jobs: number) => seed(server.store, jobs),
    close: () => server.stop(),
  }
}

const seed = async (store: Store, jobs: number): Promise<Seeded> => {
  const ids = { workflows: makeIds(200), runs: makeIds(5000), parents: makeIds(2000) }
  const make = (number: number, scheduledAt: number | null) => makeJob(number, ids, scheduledAt)
  const ended = Math.round(jobs * (1 - LIVE_SHARE))
  let middle = 0
  for (let number = 0; number < ended; number += BATCH) {
    const size = Math.min(BATCH, ended - number)
    await submit(
      store,
      Array.from({ length: size }, (_, index) => make(number + index, null)),
    )
    await endAll(store, size)
    if (middle === 0 && number > ended / 2) middle = await store.now()
  }
  for (let number = ended; number < jobs; number += BATCH) {
    const later = (number / BATCH) % 2 === 0 ? null : (await store.now()) + 24 * 3600 * 1000
    await submit(
      store,
      Array.from({ length: Math.min(BATCH, jobs - number) }, (_, index) => make(number + index, later)),
    )
  }
  await store.claimJobs({ workerId: newId(), kinds: KINDS, limit: 20, leaseMs: 24 * 3600 * 1000 })
  return {
    workflowId: ids.workflows[7]!,
    runId: ids.runs[70]!,
    parentJobId: ids.parents[700]!,
    middle: new Date(middle).toISOString(),
  }
}

const makeIds = (count: number): readonly string[] => Array.from({ length: count }, newId)

type Ids = {
  readonly workflows: readonly string[]
  readonly runs: readonly string[]
  readonly parents: readonly string[]
}

const TEAMS = ['data', 'web', 'billing', 'search', 'science']
const NAMES = ['export', 'import-events', 'nightly-report', 'thumbnails', 'heartbeat', 'backup']

/** A job like many, chosen by its number so that every run is alike: rare things are rare. */
const makeJob = (number: number, ids: Ids, scheduledAt: number | null): NewJob => {
  const isItem = number % 4 === 0
  return {
    id: newId(),
    workspace: 'default',
    kind: number % 50 === 0 ? 'http' : number % 1000 === 1 ? 'query' : 'command',
    name: number % 3 === 0 ? null : `${NAMES[number % NAMES.length]}-${number % 10_000}`,
    labels: makeLabels(number),
    queue: number % 10 === 3 ? 'bulk' : number % 5000 === 4 ? 'rare' : 'default',
    priority: 0,
    trigger: isItem ? 'automatic' : 'manual',
    workflowId: isItem ? ids.workflows[number % ids.workflows.length]! : null,
    runId: isItem ? ids.runs[number % ids.runs.length]! : null,
    parentJobId: number % 20 === 6 ? ids.parents[number % ids.parents.length]! : null,
    rerunOf: null,
    exclusiveKey: null,
    dataSource: null,
    pipe: null,
    scheduledAt,
    timeoutMs: null,
    graceMs: null,
    retry: SINGLE_JOB_RETRY,
    restartable: true,
    spec: '{"command":["python3","export.py","--day","2026-11-22"]}',
    secrets: null,
    scopes: ['jobs:read', 'jobs:run:command'],
    sinks: [],
  }
}

const makeLabels = (number: number): Readonly<Record<string, string>> => {
  if (number % 10 >= 3) return {}
  const team = { team: TEAMS[number % TEAMS.length]! }
  if (number % 10 === 1) return { ...team, stage: number % 20 === 1 ? 'production' : 'test' }
  return number % 5000 === 10 ? { ...team, incident: String(number % 7) } : team
}

const submit = async (store: Store, jobs: readonly NewJob[]): Promise<void> => {
  const outcome = await store.submitJobs({ jobs, maxQueued: 1_000_000_000 })
  if (outcome.type !== 'submitted') throw new Error(outcome.type)
}

const endAll = async (store: Store, count: number): Promise<void> => {
  for (let left = count; left > 0; ) {
    const claimed = await store.claimJobs({ workerId: WORKER, kinds: KINDS, limit: left, leaseMs: 60_000 })
    if (claimed.length === 0) throw new Error('no job to claim')
    await store.endAttempts(claimed.map(job => ({ lease: leaseOf(job), end: nextEnd(), log: [] })))
    left -= claimed.length
  }
}

const leaseOf = ({ id, attempt, leaseToken }: ClaimedJob): Lease => ({ jobId: id, attempt, leaseToken })

const WORKER = newId()
let endings = 0

/** Most complete; one in twenty fails, one in a hundred otherwise than the rest. */
const nextEnd = (): AttemptEnd => {
  endings++
  if (endings % 20 !== 0)
    return { type: 'complete', exit: { exitCode: 0, signal: null }, statistics: null, result: null }
  const reason = endings % 100 === 0 ? 'timeout' : 'exit_code'
  return { type: 'fail', reason, failure: 'user', message: 'it failed', exit: { exitCode: 1, signal: null } }
}
