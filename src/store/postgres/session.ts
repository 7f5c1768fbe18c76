import type { Database } from './database.ts'
import type { ClaimedItems } from './jobs/claimed-items.ts'
import type { QueueCounts } from './jobs/queue-counts.ts'
import type { QueueingCalls } from './jobs/queueing-calls.ts'
import type { RecentJobs } from './jobs/recent-jobs.ts'
import type { ScopeSets } from './scope-sets.ts'
import type { Signals } from './signals.ts'

/** Shared by the operations of one open store. */
export type Session = {
  readonly database: Database
  readonly signals: Signals
  readonly queueCounts: QueueCounts
  readonly scopeSets: ScopeSets
  readonly recentJobs: RecentJobs
  readonly claimedItems: ClaimedItems
  readonly queueing: QueueingCalls
  /** First parameter of every statement that needs the time: null means the database's clock. */
  readonly now: () => number | null
}
