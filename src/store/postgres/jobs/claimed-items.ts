import type { Submitted } from './recent-jobs.ts'

/** What ending a claimed job touches beside the job. */
export type ItemLinks = {
  readonly workspace: string
  readonly runId: string | null
  readonly exclusiveKey: string | null
}

/** Those of lost leases are never ended here and go when there are too many. */
const MOST = 50_000

/**
 * Jobs this process has claimed and whose end needs locks: they are known beforehand, so that ending an item of a run
 * does not first have to ask for them. A hint only: of what is not here the database is asked.
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
