import type { Clock } from '../../../kernel/clock.ts'
import type { JobStatus } from '../../../model/job-status.ts'
import type { JobFilters, Store } from '../../store.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { READS } from '../reads.ts'
import type { DatabaseThread } from '../threads/database-thread.ts'
import type { WRITES } from '../writes.ts'
import { compactPart, decodeResults, encodeEnds } from './end-row.ts'
import { decodeClaimed, decodeJob, decodeSubmission, decodeSubmittedJobs, encodeJobs } from './job-row.ts'

/** A store's two threads, and the clock whose time is passed with every call. */
export type Threads = {
  readonly clock: Clock
  /** Clock for leases, in ms: see `lease-clock.ts`. */
  readonly leaseNow: () => number
  readonly write: DatabaseThread<typeof WRITES>
  readonly read: DatabaseThread<typeof READS>
}

type JobMethods = Pick<
  Store,
  | 'submitJobs'
  | 'claimJobs'
  | 'endAttempts'
  | 'addLogParts'
  | 'cancelJob'
  | 'cancelMatching'
  | 'getJob'
  | 'getSubmission'
  | 'listJobs'
  | 'countJobs'
  | 'findRunningAttempt'
>

/** The methods that do more than forward: they encode and decode rows, and split long searches into short ones. */
export const jobMethods = (threads: Threads): JobMethods => {
  const { clock, leaseNow, write, read } = threads
  return {
    submitJobs: async input => {
      const answer = await write.call('submitJobs', { ...input, jobs: encodeJobs(input.jobs) }, clock.now())
      return typeof answer === 'number'
        ? { type: 'too_many_queued', queued: answer }
        : { type: 'submitted', jobs: decodeSubmittedJobs(input.jobs, answer) }
    },
    claimJobs: async input =>
      (await write.call('claimJobs', { ...input, leaseNow: leaseNow() }, clock.now())).map(decodeClaimed),
    endAttempts: async ends => decodeResults(ends, await write.call('endAttempts', encodeEnds(ends), clock.now())),
    addLogParts: input => write.call('addLogParts', { ...input, parts: input.parts.map(compactPart) }, clock.now()),
    cancelJob: async input => {
      const outcome = await write.call('cancelJob', input, clock.now())
      if (outcome === null) return { type: 'not_found' }
      const { type, isNew } = outcome
      const job = decodeJob(outcome.job, clock.now())
      return type === 'ended' ? { type, job } : { type, isNew, job }
    },
    cancelMatching: input => cancelMatching(threads, input),
    getJob: async input => {
      const row = await read.call('getJob', input, clock.now())
      return row && decodeJob(row, clock.now())
    },
    getSubmission: async input => {
      const row = await read.call('getSubmission', input, clock.now())
      return row && decodeSubmission(row)
    },
    listJobs: input => listJobs(threads, input),
    countJobs: input => countJobs(threads, input),
    findRunningAttempt: async input => {
      const found = await read.call('findRunningAttempt', input, clock.now())
      return found && { workspace: found[0], scopes: JSON.parse(found[1]) }
    },
  }
}

const listJobs = async ({ clock, read }: Threads, input: Parameters<Store['listJobs']>[0]) => {
  const { workspace, filters, limit, cursor } = input
  const before = cursor === null ? null : decodeCursor(input, cursor)
  const { found, next } = await read.call('listJobs', { workspace, filters, before, limit }, clock.now())
  return {
    jobs: found.map(row => decodeJob(row, clock.now())),
    nextCursor: next === null ? null : encodeCursor(input, next),
  }
}

const countJobs = async (
  { clock, read }: Threads,
  input: { workspace: string; filters: JobFilters },
): Promise<number> => {
  let total = 0
  let before: number | null = null
  do {
    const { count, next }: { count: number; next: number | null } = await read.call(
      'countJobs',
      { ...input, before },
      clock.now(),
    )
    total += count
    before = next
  } while (before !== null)
  return total
}

const STOPPABLE: readonly JobStatus[] = ['pending', 'queued', 'running']

/** The reader searches; the writer cancels those results that still match. A long search never blocks a write. */
const cancelMatching = async ({ clock, read, write }: Threads, input: Parameters<Store['cancelMatching']>[0]) => {
  const { workspace, reason, limit } = input
  const status = input.filters.status ? STOPPABLE.filter(status => input.filters.status!.includes(status)) : STOPPABLE
  const filters = { ...input.filters, status }
  let before: number | null = null
  while (status.length > 0) {
    const { found, next }: { found: readonly number[]; next: number | null } = await read.call(
      'findJobs',
      { workspace, filters, before, limit },
      clock.now(),
    )
    const counts = await write.call('cancelFound', { seqs: found, reason }, clock.now())
    if (counts.cancelled + counts.cancelling > 0) return counts
    if (next === null) break
    before = next
  }
  return { cancelled: 0, cancelling: 0 }
}
