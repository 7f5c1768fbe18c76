import type { Submitted } from './recent-jobs.ts'

/** What else ending a claimed job affects. */
export type ItemLinks = {
  readonly workspace: string
  readonly runId: string | null
  readonly exclusiveKey: string | null
}

/** Jobs whose leases were lost never end here; the oldest entries are evicted. */
const MOST = 50_000

/**
 * Jobs this process has claimed whose end needs locks or has deliveries, so that ending an item of a run needs no query to find its locks. Only a
 * hint: for jobs not listed here, the database is queried.
 */
export class ClaimedItems {
  readonly #links = new Map<string, ItemLinks>()

  add(job: Submitted): void {
    if (job.runId === null && job.exclusiveKey === null && job.sinks.length === 0) return
    this.#links.set(job.id, { workspace: job.workspace, runId: job.runId, exclusiveKey: job.exclusiveKey })
    if (this.#links.size <= MOST) return
    const [oldest] = this.#links.keys()
    this.#links.delete(oldest!)
  }

  find(jobId: string): ItemLinks | undefined {
    return this.#links.get(jobId)
  }

  forget(jobId: string): void {
    this.#links.delete(jobId)
  }
}
